import type { Answer, AnswerWriter, Spot, Usage } from '../../api/answer.ts';
import type { Choice, Part } from '../../compose-answer.ts';
import { parseJson } from '../../json.ts';

const STOP_REASONS = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' } as const;

/** What a thinking block is signed with; nobody checks it. */
const SIGNATURE = 'c2lnbmVkIGJ5IGEgc2ltdWxhdG9y';

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

/** Cached input stands beside the input that is not. */
function usageJson({ input, cached, cacheWritten, output, thinking }: Usage): object {
  return {
    input_tokens: input - cached - cacheWritten,
    cache_creation_input_tokens: cacheWritten,
    cache_read_input_tokens: cached,
    cache_creation: { ephemeral_5m_input_tokens: cacheWritten, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    ...(thinking > 0 ? { output_tokens_details: { thinking_tokens: thinking } } : {}),
    service_tier: 'standard',
  };
}

/** Writes messages, whole and as the events of a stream. */
export class MessageWriter implements AnswerWriter {
  readonly #answer: Answer;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  whole(usage: Usage): string {
    const [choice] = this.#answer.choices;
    const content = choice?.parts.map((part) => this.#block(part)) ?? [];
    return JSON.stringify({ ...this.#message(content, endingOf(choice)), usage: usageJson(usage) });
  }

  opening(): string {
    const message = this.#message([], { stop_reason: null, stop_sequence: null });
    const usage = usageJson({ ...this.#answer.usageAfter(0), output: 1 });
    return event('message_start', { message: { ...message, usage } });
  }

  partStart({ index, part }: Spot): string {
    const block = { ...this.#emptyBlock(part) };
    const start = event('content_block_start', { index, content_block: block });
    const ping = index === 0 ? event('ping', {}) : '';
    return start + ping + (part.kind === 'call' ? delta(index, { type: 'input_json_delta', partial_json: '' }) : '');
  }

  piece({ index, part }: Spot, text: string): string {
    switch (part.kind) {
      case 'text':
        return delta(index, { type: 'text_delta', text });
      case 'call':
        // A call without arguments says nothing of them.
        return part.text() === '{}' ? '' : delta(index, { type: 'input_json_delta', partial_json: text });
      case 'thinking':
      case 'hidden':
        return delta(index, { type: 'thinking_delta', thinking: text });
    }
  }

  partEnd({ index, part }: Spot): string {
    const signed = part.kind === 'thinking' ? delta(index, { type: 'signature_delta', signature: SIGNATURE }) : '';
    return signed + event('content_block_stop', { index });
  }

  choiceEnd(): string {
    return '';
  }

  closing(usage: Usage): string {
    const ending = endingOf(this.#answer.choices[0]);
    return event('message_delta', { delta: ending, usage: usageJson(usage) }) + event('message_stop', {});
  }

  fragment(): string {
    return 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del';
  }

  #message(content: readonly object[], ending: object): object {
    const { id, model } = this.#answer;
    return { id: `msg_${id}`, type: 'message', role: 'assistant', model, content, ...ending };
  }

  #block(part: Part): object {
    const block = this.#emptyBlock(part);
    if (part.kind === 'text') return { ...block, text: part.text() };
    if (part.kind === 'call') return { ...block, input: parseJson(part.text()) ?? {} };
    return { ...block, thinking: part.text(), signature: SIGNATURE };
  }

  #emptyBlock({ kind, name, call }: Part): object {
    if (kind === 'text') return { type: 'text', text: '' };
    if (kind === 'call') return { type: 'tool_use', id: `toolu_${this.#answer.id}${call}`, name, input: {} };
    return { type: 'thinking', thinking: '', signature: '' };
  }
}

function delta(index: number, fields: object): string {
  return event('content_block_delta', { index, delta: fields });
}

function endingOf(choice: Choice | undefined): object {
  if (choice?.stoppedBy != null) return { stop_reason: 'stop_sequence', stop_sequence: choice.stoppedBy };
  return { stop_reason: STOP_REASONS[choice?.finish ?? 'stop'], stop_sequence: null };
}
