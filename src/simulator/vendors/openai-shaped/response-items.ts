import type { Answer, Usage } from '../../api/answer.ts';
import type { Choice, Part } from '../../compose-answer.ts';
import type { Json } from '../../json.ts';

/** What an answer repeats of its request. */
export interface AskedResponse {
  readonly body: Json;
  readonly isStored: boolean;
}

/** One item of the output; `text` is what is said so far. */
export function itemJson(answer: Answer, part: Part, text: string | null): object {
  const status = text === null ? 'in_progress' : 'completed';
  const id = itemId(answer, part);
  if (part.kind === 'call') {
    return { id, type: 'function_call', status, arguments: text ?? '', call_id: callId(answer, part), name: part.name };
  }
  if (part.kind === 'text') {
    return { id, type: 'message', status, role: 'assistant', content: text === null ? [] : [textJson(text)] };
  }
  return { id, type: 'reasoning', summary: [] };
}

export function textJson(text: string): object {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

export function itemId(answer: Answer, { kind, call }: Part): string {
  if (kind === 'call') return `fc_${answer.id}${call}`;
  return `${kind === 'text' ? 'msg' : 'rs'}_${answer.id}`;
}

function callId(answer: Answer, { call }: Part): string {
  return `call_${answer.id}${call}`;
}

/** What a response repeats of its request, and what it says where the request says nothing. */
const REPEATED: Json = {
  ...{ instructions: null, max_output_tokens: null, previous_response_id: null, user: null, metadata: {} },
  ...{ parallel_tool_calls: true, temperature: 1, top_p: 1, tool_choice: 'auto', tools: [] },
  ...{ reasoning: { effort: null, summary: null }, text: { format: { type: 'text' } } },
};

/** A response as it is while it is made (`end` is null), and in the end. */
export function responseJson(answer: Answer, { body, isStored }: AskedResponse, end: End | null): object {
  const [choice] = answer.choices;
  const isCut = end !== null && choice?.finish === 'length';
  const finished = isCut ? 'incomplete' : 'completed';
  return {
    id: `resp_${answer.id}`,
    object: 'response',
    created_at: answer.created,
    status: end === null ? 'in_progress' : finished,
    ...{ background: false, error: null, truncation: 'disabled', service_tier: 'default' },
    incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
    model: answer.model,
    output: end === null ? [] : outputOf(answer, choice),
    ...Object.fromEntries(Object.entries(REPEATED).map(([name, usual]) => [name, body[name] ?? usual])),
    store: isStored,
    usage: end === null ? null : usageJson(end.usage),
  };
}

export interface End {
  readonly usage: Usage;
}

function outputOf(answer: Answer, choice: Choice | undefined): object[] {
  return (choice?.parts ?? []).map((part) => itemJson(answer, part, part.text()));
}

function usageJson({ input, output, cached, thinking }: Usage): object {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: thinking },
    total_tokens: input + output,
  };
}
