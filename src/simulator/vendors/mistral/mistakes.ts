import { type InvalidRequest, invalidRequest } from '../../api/failure.ts';
import { asObjects, asText, type Json } from '../../json.ts';

/** Fields of a request; any other is refused. */
const FIELDS = new Set(
  (
    'model messages temperature top_p max_tokens stream stop random_seed metadata response_format tools tool_choice ' +
    'presence_penalty frequency_penalty n prediction parallel_tool_calls reasoning_effort prompt_mode guardrails ' +
    'safe_prompt prompt_cache_key'
  ).split(' '),
);

const CALL_ID = /^[a-zA-Z0-9]{9}$/;

/** Codes that tell the vendor's 400s apart. */
const ORDER = '3230';
const CALLS = '3280';

/** What Mistral refuses beyond what OpenAI does; null: nothing. */
export function mistakeInChat(body: Json): InvalidRequest | null {
  const unknown = Object.keys(body).find((name) => !FIELDS.has(name));
  // The code says that this one is answered with a 422 and a list of details.
  if (unknown !== undefined) return invalidRequest('Extra inputs are not permitted', unknown, 'extra_forbidden');
  const messages = asObjects(body['messages']);
  for (const message of messages) {
    const mistake = mistakeInMessage(message);
    if (mistake) return mistake;
  }
  return mistakeInOrder(messages);
}

function mistakeInMessage({ role, tool_calls: calls, tool_call_id: callId }: Json): InvalidRequest | null {
  if (!['system', 'user', 'assistant', 'tool'].includes(asText(role))) {
    return invalidRequest("Input should be 'system', 'user', 'assistant' or 'tool'", 'messages', 'extra_forbidden');
  }
  const ids = [...asObjects(calls).map(({ id }) => id), ...(role === 'tool' ? [callId] : [])].map(asText);
  const wrong = ids.find((id) => !CALL_ID.test(id));
  if (wrong === undefined) return null;
  return invalidRequest(`Tool call id was ${wrong} but must be a-z, A-Z, 0-9, with a length of 9.`, null, CALLS);
}

function mistakeInOrder(messages: readonly Json[]): InvalidRequest | null {
  const last = messages.at(-1);
  if (last?.['role'] === 'assistant' && last['prefix'] !== true) {
    const message = 'Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant';
    return invalidRequest(message, null, ORDER);
  }
  let open = 0;
  for (const { role, tool_calls: calls } of messages) {
    open += asObjects(calls).length - (role === 'tool' ? 1 : 0);
  }
  return open === 0 ? null : invalidRequest('Not the same number of function calls and responses', null, ORDER);
}
