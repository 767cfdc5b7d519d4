import OpenAI6 from 'openai-6';
import { zodFunction as zodFunction6, zodResponseFormat as zodResponseFormat6 } from 'openai-6/helpers/zod';
import OpenAI7 from 'openai-7';
import { zodFunction as zodFunction7, zodResponseFormat as zodResponseFormat7 } from 'openai-7/helpers/zod';
import { CLIENT_KEY, type World } from './world.ts';

/** The types of 7 stand for both: the tests use what the two have in common. */
type OpenAIClass = typeof OpenAI7;
export type Options = NonNullable<ConstructorParameters<OpenAIClass>[0]>;
export type Client = OpenAI7;

interface Helpers {
  readonly zodResponseFormat: typeof zodResponseFormat7;
  readonly zodFunction: typeof zodFunction7;
}

/** One major version of the official client. */
export interface Major extends Helpers {
  readonly name: string;
  readonly OpenAI: OpenAIClass;
  /** As its users make it: whatever is not given is the default, retries included. */
  connect(world: Pick<World, 'baseURL'>, options?: Options): Client;
}

function major(name: string, OpenAI: OpenAIClass, helpers: Helpers): Major {
  return {
    name,
    OpenAI,
    ...helpers,
    connect: ({ baseURL }, options = {}) => new OpenAI({ baseURL, apiKey: CLIENT_KEY, ...options }),
  };
}

/** Every test of the official client runs with each. */
export const MAJORS: readonly Major[] = [
  major('openai 6', OpenAI6 as unknown as OpenAIClass, {
    zodResponseFormat: zodResponseFormat6 as unknown as typeof zodResponseFormat7,
    zodFunction: zodFunction6 as unknown as typeof zodFunction7,
  }),
  major('openai 7', OpenAI7, { zodResponseFormat: zodResponseFormat7, zodFunction: zodFunction7 }),
];

/** The smallest request; its answer from the simulator has 24 tokens. */
export const ASK = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Tell me about canals.' }] };
