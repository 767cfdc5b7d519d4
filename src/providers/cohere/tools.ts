import type { Chat, ToolDefinition } from '../mapping/chat-request.ts';
import { listAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';
import { answerSchema } from './schema.ts';

/** The tools of a chat, and whether one has to be used. A tool that is named is the only one that is offered. */
export function toolFields(chat: Chat): JsonObject {
  const { toolChoice } = chat;
  const offered = offeredTools(chat);
  if (offered.length === 0) return {};
  const areStrict = isStrict(offered);
  const choice = toolChoice === null ? undefined : CHOICES[toolChoice.kind];
  return {
    tools: offered.map((tool) => toolOf(tool, areStrict)),
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(areStrict ? { strict_tools: true } : {}),
  };
}

/** Whether strictness was asked for and can't be had. */
export function losesStrictness(chat: Chat): boolean {
  const offered = offeredTools(chat);
  return offered.some((tool) => tool.isStrict) && !isStrict(offered);
}

function offeredTools({ tools, toolChoice }: Chat): readonly ToolDefinition[] {
  return toolChoice?.kind === 'named' ? tools.filter(({ name }) => name === toolChoice.name) : tools;
}

/** The default has no word. */
const CHOICES = { auto: undefined, none: 'NONE', required: 'REQUIRED', named: 'REQUIRED' } as const;

function toolOf({ name, description, parameters }: ToolDefinition, areStrict: boolean): JsonObject {
  const schema = parameters ?? { type: 'object', properties: {} };
  return {
    type: 'function',
    function: {
      name,
      ...(description === null ? {} : { description }),
      parameters: areStrict ? answerSchema(schema) : schema,
    },
  };
}

/** Strictness holds for all tools or none, and each of them then has to have a parameter that is required. */
function isStrict(tools: readonly ToolDefinition[]): boolean {
  return tools.every((tool) => tool.isStrict && listAt(tool.parameters, 'required').length > 0);
}
