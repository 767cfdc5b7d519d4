import type { TokenCounter } from './count-tokens.ts';
import { asObject, asText, type Json } from './json.ts';

/** What a message costs beside its words, and what opens the answer: the published formula of chat models. */
const PER_MESSAGE = 3;
const PER_NAME = 1;
const REPLY_PRIMING = 3;

/** The published formula of tool definitions for the o200k models. */
const PER_FUNCTION = 7;
const PROPERTIES = 3;
const PER_PROPERTY = 3;
const ENUM = -3;
const PER_ENUM_VALUE = 3;
const AFTER_FUNCTIONS = 12;

/** Images cost by size, which is not looked at here: `low` has one price, everything else is taken as 1024 x 1024. */
const LOW_IMAGE = 85;
const HIGH_IMAGE = 765;

/** What a model is given, in OpenAI's words, whatever words it came in. */
export interface Prompt {
  readonly messages: readonly Json[];
  /** Each has a `name`, maybe a `description` and `parameters`. */
  readonly tools: readonly Json[];
  readonly schema: Json | null;
}

/** Counts a prompt: messages, tools, schema. */
export function promptTokens({ messages, tools, schema }: Prompt, count: TokenCounter): number {
  let total = REPLY_PRIMING;
  for (const message of messages) total += messageTokens(message, count);
  for (const tool of tools) total += functionTokens(tool, count);
  if (tools.length > 0) total += AFTER_FUNCTIONS;
  if (schema) total += count(JSON.stringify(schema));
  return total;
}

function messageTokens(message: Json, count: TokenCounter): number {
  let total = PER_MESSAGE + count(asText(message['role'])) + contentTokens(message['content'], count);
  if (typeof message['name'] === 'string') total += count(message['name']) + PER_NAME;
  if (typeof message['refusal'] === 'string') total += count(message['refusal']);
  if (message['tool_calls'] !== undefined) total += count(JSON.stringify(message['tool_calls']));
  return total;
}

function contentTokens(content: unknown, count: TokenCounter): number {
  if (typeof content === 'string') return count(content);
  if (!Array.isArray(content)) return 0;
  return content.reduce<number>((total, part) => total + partTokens(asObject(part), count), 0);
}

function partTokens(part: Json, count: TokenCounter): number {
  if (part['type'] === 'image_url') return asObject(part['image_url'])['detail'] === 'low' ? LOW_IMAGE : HIGH_IMAGE;
  const text = part['text'] ?? part['refusal'];
  return typeof text === 'string' ? count(text) : 0;
}

function functionTokens(tool: Json, count: TokenCounter): number {
  const words = `${asText(tool['name'])}:${withoutStop(tool['description'])}`;
  return PER_FUNCTION + count(words) + propertiesTokens(asObject(tool['parameters']), count);
}

function propertiesTokens(schema: Json, count: TokenCounter): number {
  const properties = Object.entries(asObject(schema['properties']));
  if (properties.length === 0) return 0;
  return properties.reduce((total, [name, value]) => total + propertyTokens(name, asObject(value), count), PROPERTIES);
}

function propertyTokens(name: string, property: Json, count: TokenCounter): number {
  const values: unknown = property['enum'];
  let total = PER_PROPERTY + count(`${name}:${asText(property['type'])}:${withoutStop(property['description'])}`);
  if (Array.isArray(values)) {
    total += ENUM;
    for (const value of values) total += PER_ENUM_VALUE + count(asText(value));
  }
  // The published formula is flat; what is nested is counted the same way again.
  return total + propertiesTokens(property, count) + propertiesTokens(asObject(property['items']), count);
}

function withoutStop(description: unknown): string {
  return typeof description === 'string' ? description.replace(/\.$/, '') : '';
}
