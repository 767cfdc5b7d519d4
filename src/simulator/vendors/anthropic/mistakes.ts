import { type InvalidRequest, invalidRequest } from '../../api/failure.ts';
import { asObject, asObjects, asText, isCount, isObject, type Json, numberOf } from '../../json.ts';
import { textsOf } from './blocks.ts';

/** Fields of a request; any other is refused. */
const FIELDS = new Set(
  (
    'model messages max_tokens system stop_sequences stream temperature top_p top_k tools tool_choice thinking metadata ' +
    'service_tier container context_management output_config output_format mcp_servers cache_control inference_geo speed'
  ).split(' '),
);

/** Models that take neither another temperature than the usual nor the beginning of an answer. */
const STRICT_MODELS = /^claude-(opus-(4-[7-9]|[5-9])|(sonnet|haiku|fable|mythos)-[5-9])/;
const LEAST_TOP_P = 0.99;

const TOOL_ID = /^[a-zA-Z0-9_-]+$/;
const LEAST_BUDGET = 1024;

/** What Anthropic refuses in a request for a message; null: nothing. */
export function mistakeInMessages(body: Json): InvalidRequest | null {
  const message =
    mistakeInFields(body) ??
    mistakeForModel(body) ??
    mistakeInThinking(body) ??
    mistakeInTools(body) ??
    mistakeInTurns(asObjects(body['messages']));
  return message === null ? null : invalidRequest(message);
}

/** What count_tokens refuses: the same, but that there is nothing to cap. */
export function mistakeInCount(body: Json): InvalidRequest | null {
  return mistakeInMessages({ ...body, max_tokens: 1, thinking: undefined });
}

function mistakeInFields(body: Json): string | null {
  const { model, messages, max_tokens: maxTokens } = body;
  if (typeof model !== 'string' || model === '') return 'model: Field required';
  if (maxTokens === undefined) return 'max_tokens: Field required';
  if (maxTokens === null || !isCount(maxTokens)) return 'max_tokens: Input should be greater than or equal to 1';
  if (!Array.isArray(messages)) return 'messages: Field required';
  if (messages.length === 0) return 'messages: at least one message is required';
  if (!messages.every(isObject)) return 'messages: Input should be a valid list of messages';
  return mistakeInOptions(body);
}

function mistakeInOptions(body: Json): string | null {
  const { temperature } = body;
  if (typeof temperature === 'number' && (temperature < 0 || temperature > 1)) return 'temperature: range: 0..1';
  const unknown = Object.keys(body).find((name) => !FIELDS.has(name) && body[name] !== undefined);
  if (unknown !== undefined) return `${unknown}: Extra inputs are not permitted`;
  const stops = [body['stop_sequences'] ?? []].flat();
  if (stops.some((stop) => typeof stop !== 'string' || stop.trim() === '')) {
    return 'stop_sequences: each stop sequence must contain non-whitespace';
  }
  return null;
}

function mistakeForModel({ model, temperature, top_p: topP, top_k: topK, messages }: Json): string | null {
  if (!STRICT_MODELS.test(asText(model))) return null;
  if (temperature !== undefined && temperature !== 1) return '`temperature` may only be set to 1 for this model.';
  if (topK !== undefined) return '`top_k` is not supported for this model.';
  if (topP !== undefined && Number(topP) < LEAST_TOP_P) return '`top_p` must be at least 0.99 for this model.';
  if (asObjects(messages).at(-1)?.['role'] !== 'assistant') return null;
  return 'This model does not support assistant message prefill. The conversation must end with a user message.';
}

function mistakeInThinking({ thinking, max_tokens: maxTokens, tool_choice: choice }: Json): string | null {
  const { type, budget_tokens: budget } = asObject(thinking);
  if (type === 'enabled') {
    if ((numberOf(budget) ?? 0) < LEAST_BUDGET) {
      return `thinking.enabled.budget_tokens: Input should be greater than or equal to ${LEAST_BUDGET}`;
    }
    if (Number(maxTokens) <= Number(budget)) return '`max_tokens` must be greater than `thinking.budget_tokens`.';
  }
  const isForced = ['any', 'tool'].includes(asText(asObject(choice)['type']));
  const isThinking = type === 'enabled' || type === 'adaptive';
  return isThinking && isForced ? 'Thinking may not be enabled when tool_choice forces tool use.' : null;
}

function mistakeInTools({ tools, tool_choice: choice }: Json): string | null {
  const given = asObjects(tools);
  for (const [index, tool] of given.entries()) {
    // Tools that the vendor runs itself have a type and no schema.
    if (tool['type'] !== undefined && tool['type'] !== 'custom') continue;
    if (asObject(tool['input_schema'])['type'] !== 'object') {
      return `tools.${index}.custom.input_schema.type: Input should be 'object'`;
    }
  }
  const { type, name } = asObject(choice);
  if (choice !== undefined && type !== 'none' && given.length === 0) {
    return 'tool_choice: may only be specified while providing tools';
  }
  if (type !== 'tool' || given.some((tool) => tool['name'] === name)) return null;
  return `Tool '${asText(name)}' not found in provided tools`;
}

function mistakeInTurns(messages: readonly Json[]): string | null {
  for (const [index, message] of messages.entries()) {
    const mistake = mistakeInTurn(message, index) ?? mistakeInCalls(message, messages[index + 1], index);
    if (mistake) return mistake;
  }
  const last = messages.at(-1);
  if (last?.['role'] !== 'assistant') return null;
  const isPadded = /\s$/.test(textsOf(last['content']).at(-1) ?? '');
  return isPadded ? 'messages: final assistant content cannot end with trailing whitespace' : null;
}

function mistakeInTurn({ role, content }: Json, index: number): string | null {
  if (role !== 'user' && role !== 'assistant') {
    return `messages.${index}.role: Input should be 'user' or 'assistant'`;
  }
  if (index === 0 && role === 'assistant') return 'messages: first message must use the "user" role';
  if (typeof content !== 'string' && !Array.isArray(content)) return `messages.${index}.content: Field required`;
  if (content.length === 0) return `messages.${index}: all messages must have non-empty content`;
  return textsOf(content).includes('') ? 'messages: text content blocks must be non-empty' : null;
}

/** Every call is answered in the next message, under an id that both know, and nothing else is. */
function mistakeInCalls({ content }: Json, next: Json | undefined, index: number): string | null {
  const calls = idsOf(content, 'tool_use', 'id');
  const wrong = calls.find((id) => !TOOL_ID.test(id));
  if (wrong !== undefined) return `messages.${index}.content: String should match pattern '^[a-zA-Z0-9_-]+$'`;
  const results = new Set(idsOf(next?.['content'], 'tool_result', 'tool_use_id'));
  const open = calls.filter((id) => !results.has(id));
  if (open.length > 0) {
    return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}.`;
  }
  const foreign = [...results].find((id) => !calls.includes(id));
  if (foreign === undefined) return null;
  return `messages.${index + 1}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${foreign}.`;
}

function idsOf(content: unknown, type: string, field: string): string[] {
  return asObjects(content).flatMap((block) => (block['type'] === type ? [asText(block[field])] : []));
}
