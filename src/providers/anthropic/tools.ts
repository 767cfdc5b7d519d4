import type { Chat, ChatMessage, ToolDefinition } from '../mapping/chat-request.ts';
import { textAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';
import { cacheMark } from './blocks.ts';
import type { ModelFacts } from './models.ts';
import { grammarOf, inputSchemaOf } from './schema.ts';

/**
 * Models that take no schema for their answer are made to call this tool instead, whose input is the answer. The name is
 * one that no client's tool has, because answers are unwrapped by it.
 */
export const ANSWER_TOOL = 'sluice_json_answer';

export interface ToolFields {
  readonly tools?: readonly JsonObject[];
  readonly tool_choice?: JsonObject;
}

/** The tools of a chat, and which of them the model has to use. */
export function toolFields(chat: Chat, facts: ModelFacts): ToolFields {
  const answerTool = answerToolOf(chat, facts);
  const served = chat.otherTools.filter(isServed);
  const isOffered = chat.tools.length + served.length > 0;
  const functions = isOffered ? chat.tools : toolsOfThePast(chat.messages);
  const tools = [...functions.map((tool) => toolOf(tool, facts)), ...served, ...(answerTool ? [answerTool] : [])];
  if (tools.length === 0) return {};
  const choice = answerTool ? answerChoice(chat, isOffered) : choiceOf(chat, isOffered);
  return choice === null ? { tools } : { tools, tool_choice: choice };
}

/** Whether the model has to call a tool, which it can't while it thinks. */
export function isToolForced({ tool_choice: choice }: ToolFields): boolean {
  return choice?.['type'] === 'any' || choice?.['type'] === 'tool';
}

/** Tools that the vendor knows itself are named for the day of their making: `web_search_20250305`. */
export function isServed(tool: JsonObject): boolean {
  return /_\d{8}$/.test(textAt(tool, 'type') ?? '');
}

function toolOf(tool: ToolDefinition, { hasSchemas }: ModelFacts): JsonObject {
  const { name, description, parameters } = tool;
  const isStrict = tool.isStrict && hasSchemas;
  const schema = inputSchemaOf(parameters ?? {});
  return {
    name,
    ...(description === null ? {} : { description }),
    input_schema: isStrict ? grammarOf(schema) : schema,
    ...(isStrict ? { strict: true } : {}),
    ...cacheMark(tool),
  };
}

/** Calls in the conversation need their tools, even where no further call is wanted. */
function toolsOfThePast(messages: readonly ChatMessage[]): readonly ToolDefinition[] {
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? message.toolCalls : []));
  const names = [...new Set(calls.map(({ name }) => name))];
  return names.map((name) => ({ name, description: null, parameters: null, isStrict: false, source: {} }));
}

function choiceOf({ toolChoice, allowsParallelCalls }: Chat, isOffered: boolean): JsonObject | null {
  const isOneAtATime = allowsParallelCalls === false;
  const kind = isOffered ? (toolChoice?.kind ?? (isOneAtATime ? 'auto' : null)) : 'none';
  if (kind === null) return null;
  if (kind === 'none') return { type: 'none' };
  const choice = toolChoice?.kind === 'named' ? { type: 'tool', name: toolChoice.name } : { type: CHOICES[kind] };
  return isOneAtATime ? { ...choice, disable_parallel_tool_use: true } : choice;
}

const CHOICES = { auto: 'auto', required: 'any', named: 'tool' } as const;

function answerToolOf({ format }: Chat, { hasSchemas }: ModelFacts): JsonObject | null {
  if (format.kind !== 'json_schema' || hasSchemas) return null;
  const description = 'Gives the answer. Its input is the whole answer.';
  return { name: ANSWER_TOOL, description, input_schema: inputSchemaOf(format.schema) };
}

/** Either one of the client's tools or the answer; a tool that the client insists on comes first. */
function answerChoice({ toolChoice }: Chat, isOffered: boolean): JsonObject {
  const one = { disable_parallel_tool_use: true };
  if (toolChoice?.kind === 'named') return { type: 'tool', name: toolChoice.name, ...one };
  const mayCall = isOffered && toolChoice?.kind !== 'none';
  return mayCall ? { type: 'any', ...one } : { type: 'tool', name: ANSWER_TOOL, ...one };
}
