import type { Capability } from '../../../providers/provider.ts';
import {
  ARRAY,
  BOOLEAN,
  CAP,
  invalidType,
  isObject,
  type JsonObject,
  listOf,
  missingParameter,
  OBJECT,
  optional,
  readModel,
} from '../../request-body/fields.ts';
import type { RequestFacts } from '../../request-body.ts';

/** The top-level fields that Sluice reads. */
export const MESSAGES_NAMES: ReadonlySet<string> = new Set([
  ...['model', 'messages', 'system', 'max_tokens', 'stream', 'tools', 'thinking', 'metadata'],
  ...['output_config', 'output_format'],
]);

/**
 * Checks the fields that Sluice reads, and no others.
 * @throws ProxyError `missing_required_parameter` or `invalid_type`, `param` set
 */
export function messagesFacts(body: JsonObject): RequestFacts {
  const messages = readMessages(body['messages']);
  checkSystem(body['system']);
  const isStreaming = optional(body, 'stream', BOOLEAN) ?? false;
  const outputCapTokens = optional(body, 'max_tokens', CAP);
  if (outputCapTokens === null) throw missingParameter('max_tokens');
  const user = optional(body, 'metadata', OBJECT)?.['user_id'];
  return {
    model: readModel(body['model']),
    isStreaming,
    // It is a part of the events themselves, so every stream has it.
    wantsUsage: isStreaming,
    outputCapTokens,
    n: 1,
    needs: [...new Set([...needsOfFields(body), ...messages.flatMap(({ content }) => needsOfBlocks(content))])],
    user: typeof user === 'string' ? user : null,
    wantsThinking: wantsThinking(body),
  };
}

function readMessages(value: unknown): readonly JsonObject[] {
  if (value === undefined || value === null) throw missingParameter('messages');
  if (!Array.isArray(value) || value.length === 0) throw invalidType('messages', 'a non-empty array', value);
  for (const [index, message] of value.entries()) {
    if (!isObject(message)) throw invalidType(`messages[${index}]`, 'an object', message);
    const { role, content } = message;
    if (typeof role !== 'string') throw invalidType(`messages[${index}].role`, 'a string', role);
    if (typeof content !== 'string' && !Array.isArray(content)) {
      throw invalidType(`messages[${index}].content`, 'a string or an array of blocks', content);
    }
  }
  return value;
}

function checkSystem(system: unknown): void {
  const isKnown = system === undefined || system === null || typeof system === 'string' || Array.isArray(system);
  if (!isKnown) throw invalidType('system', 'a string or an array of blocks', system);
}

function needsOfFields(body: JsonObject): readonly Capability[] {
  const needs: Capability[] = [];
  const tools = optional(body, 'tools', ARRAY);
  if (tools && tools.length > 0) needs.push('tools');
  const format = optional(body, 'output_config', OBJECT)?.['format'] ?? body['output_format'];
  if (isObject(format) && format['type'] === 'json_schema') needs.push('json_schema');
  return needs;
}

/** Of a message, or of what a tool has given back. A document that is plain text needs nothing. */
function needsOfBlocks(content: unknown): readonly Capability[] {
  return listOf(content).flatMap((block): readonly Capability[] => {
    if (!isObject(block)) return [];
    const source = isObject(block['source']) ? block['source']['type'] : null;
    switch (block['type']) {
      case 'image':
        return ['vision'];
      case 'document':
        return source === 'text' || source === 'content' ? needsOfBlocks(contentOf(block)) : ['files'];
      case 'tool_result':
        return needsOfBlocks(block['content']);
      default:
        return [];
    }
  });
}

function contentOf({ source }: JsonObject): unknown {
  return isObject(source) ? source['content'] : null;
}

function wantsThinking(body: JsonObject): boolean {
  const type = optional(body, 'thinking', OBJECT)?.['type'];
  return type === 'enabled' || type === 'adaptive';
}
