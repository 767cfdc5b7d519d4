import { type ChatMessage, type ToolCall, textOf } from '../mapping/chat-request.ts';
import { isObject, parsed } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';
import type { ModelFacts } from './models.ts';
import { type GeminiPart, partsOf } from './parts.ts';
import { NO_SIGNATURE, signatureIn } from './signatures.ts';

/** A turn of the conversation. */
interface Content {
  readonly role: 'user' | 'model';
  readonly parts: readonly GeminiPart[];
}

export interface Conversation {
  readonly systemInstruction?: { readonly parts: readonly GeminiPart[] };
  readonly contents: readonly Content[];
}

/**
 * The messages as turns. Instructions at the beginning stand apart, later ones are said by the user. The results of all
 * calls of one turn go into one turn, in the order of the calls; a turn without parts would be refused, so it is left out.
 */
export function conversationOf(messages: readonly ChatMessage[], facts: ModelFacts): Conversation {
  const begins = messages.findIndex(({ role }) => role !== 'system');
  const leading = begins < 0 ? messages : messages.slice(0, begins);
  const instructions = leading.flatMap(({ parts }) => partsOf(parts));
  const contents = turnsOf(messages.slice(leading.length), facts);
  if (instructions.length === 0) return { contents };
  // Nothing but instructions is what the user says; so are they for models that know no instructions.
  if (contents.length === 0) return { contents: [{ role: 'user', parts: instructions }] };
  if (!facts.takesInstructions) return { contents: saidFirst(instructions, contents) };
  return { systemInstruction: { parts: instructions }, contents };
}

function saidFirst(parts: readonly GeminiPart[], contents: readonly Content[]): readonly Content[] {
  const [first, ...others] = contents;
  if (first?.role !== 'user') return [{ role: 'user', parts }, ...contents];
  return [{ role: 'user', parts: [...parts, ...first.parts] }, ...others];
}

type ToolMessage = Extract<ChatMessage, { role: 'tool' }>;
type AssistantMessage = Extract<ChatMessage, { role: 'assistant' }>;

function turnsOf(messages: readonly ChatMessage[], facts: ModelFacts): readonly Content[] {
  const contents: Content[] = [];
  let calls: readonly ToolCall[] = [];
  let results: ToolMessage[] = [];
  const add = (content: Content): void => {
    if (content.parts.length > 0) contents.push(content);
  };
  const addResults = (): void => {
    add({ role: 'user', parts: resultsOf(results, calls, facts) });
    results = [];
  };
  for (const message of messages) {
    if (message.role === 'tool') {
      results.push(message);
      continue;
    }
    addResults();
    if (message.role === 'assistant') {
      if (message.toolCalls.length > 0) calls = message.toolCalls;
      add({ role: 'model', parts: saidByModel(message, facts) });
    } else add({ role: 'user', parts: partsOf(message.parts) });
  }
  addResults();
  return contents;
}

/** Text that was signed goes back with its signature. Of calls made together the first carries the signature of all. */
function saidByModel(message: AssistantMessage, facts: ModelFacts): readonly GeminiPart[] {
  const said = partsOf(message.parts);
  const signature = signatureIn(message.source);
  const calls = message.toolCalls.map((call, index) => callOf(call, { isFirst: index === 0, facts }));
  const last = said.at(-1);
  if (signature === null || last === undefined) return [...said, ...calls];
  return [...said.slice(0, -1), { ...last, thoughtSignature: signature }, ...calls];
}

function callOf(
  call: ToolCall,
  { isFirst, facts }: { readonly isFirst: boolean; readonly facts: ModelFacts },
): GeminiPart {
  const known = signatureIn(call.source);
  const signature = known ?? (isFirst && facts.wantsSignatures ? NO_SIGNATURE : null);
  return {
    functionCall: { ...idOf(call.id, facts), name: call.name, args: argumentsOf(call.argumentsJson) },
    ...(signature === null ? {} : { thoughtSignature: signature }),
  };
}

function argumentsOf(argumentsJson: string): JsonObject {
  const args = parsed(argumentsJson);
  if (isObject(args)) return args;
  return argumentsJson.trim() === '' ? {} : { arguments: argumentsJson };
}

/** In the order of the calls; a result names its function, which the client names by the id of the call. */
function resultsOf(
  results: readonly ToolMessage[],
  calls: readonly ToolCall[],
  facts: ModelFacts,
): readonly GeminiPart[] {
  const place = ({ callId }: ToolMessage): number => {
    const index = calls.findIndex(({ id }) => id === callId);
    return index < 0 ? calls.length : index;
  };
  const ordered = results.toSorted((a, b) => place(a) - place(b));
  const parts = ordered.map((result) => {
    const name = calls.find(({ id }) => id === result.callId)?.name ?? result.callId;
    const seen = partsOf(result.parts.filter(({ kind }) => kind !== 'text'));
    const pictures = facts.hasRichResults && seen.length > 0 ? { parts: seen } : {};
    const response = responseOf(textOf(result.parts));
    return { functionResponse: { ...idOf(result.callId, facts), name, response, ...pictures } };
  });
  return facts.hasRichResults ? parts : [...parts, ...ordered.flatMap(picturesOf)];
}

/** Older models see what a tool shows as said by the user. */
function picturesOf({ parts }: ToolMessage): readonly GeminiPart[] {
  return partsOf(parts.filter(({ kind }) => kind !== 'text'));
}

/** A result is an object there. */
function responseOf(text: string): JsonObject {
  const json = parsed(text);
  return isObject(json) ? json : { result: json ?? text };
}

function idOf(id: string, { hasRichResults }: ModelFacts): { readonly id?: string } {
  return hasRichResults && id !== '' ? { id } : {};
}
