import type { Answer, AnswerWriter, Spot, Usage } from '../../api/answer.ts';
import type { Choice, Part } from '../../compose-answer.ts';

const FINISH_REASONS = { stop: 'COMPLETE', length: 'MAX_TOKENS', tool_calls: 'TOOL_CALL' } as const;

/** What the vendor puts before every prompt: it counts, and nobody pays for it. */
export const PREAMBLE_TOKENS = 495;

/** What a model says it will do before it calls. */
const PLAN = 'I will use the tools that were named.';

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

/** What is billed, and what was really read. */
function usageJson({ input, output, cached }: Usage): object {
  return {
    billed_units: { input_tokens: Math.max(0, input - PREAMBLE_TOKENS), output_tokens: output },
    tokens: { input_tokens: input, output_tokens: output },
    ...(cached > 0 ? { cached_tokens: cached } : {}),
  };
}

/** Writes chats, whole and as events. */
export class ChatWriter implements AnswerWriter {
  readonly #answer: Answer;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  whole(usage: Usage): string {
    const [choice] = this.#answer.choices;
    const parts = choice?.parts ?? [];
    const content = parts.flatMap((part) => contentOf(part, part.text()));
    const calls = parts.filter(({ kind }) => kind === 'call');
    return JSON.stringify({
      id: this.#id,
      message: {
        role: 'assistant',
        ...(content.length > 0 ? { content } : {}),
        ...(calls.length > 0
          ? { tool_plan: PLAN, tool_calls: calls.map((part) => this.#call(part, part.text())) }
          : {}),
      },
      finish_reason: finishOf(choice),
      usage: usageJson(usage),
    });
  }

  opening(): string {
    const message = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] };
    return event('message-start', { id: this.#id, delta: { message } });
  }

  partStart({ index, part }: Spot): string {
    if (part.kind !== 'call') {
      const [content] = contentOf(part, '');
      return event('content-start', { index, delta: { message: { content } } });
    }
    const plan = part.call === 0 ? event('tool-plan-delta', { delta: { message: { tool_plan: PLAN } } }) : '';
    const start = { index: part.call, delta: { message: { tool_calls: this.#call(part, '') } } };
    return plan + event('tool-call-start', start);
  }

  piece({ index, part }: Spot, text: string): string {
    if (part.kind === 'call') {
      const delta = { message: { tool_calls: { function: { arguments: text } } } };
      return event('tool-call-delta', { index: part.call, delta });
    }
    const content = part.kind === 'text' ? { text } : { thinking: text };
    return event('content-delta', { index, delta: { message: { content } } });
  }

  partEnd({ index, part }: Spot): string {
    return part.kind === 'call' ? event('tool-call-end', { index: part.call }) : event('content-end', { index });
  }

  choiceEnd(): string {
    return '';
  }

  closing(usage: Usage): string {
    const delta = { finish_reason: finishOf(this.#answer.choices[0]), usage: usageJson(usage) };
    return `${event('message-end', { delta })}data: [DONE]\n\n`;
  }

  fragment(): string {
    return 'event: content-delta\ndata: {"type":"content-delta","index":0,"del';
  }

  /** Ids of answers look like UUIDs. */
  get #id(): string {
    const { id } = this.#answer;
    return `00000000-${id.slice(0, 4)}-${id.slice(4, 8)}-${id.slice(8, 12)}-${id.slice(12)}`;
  }

  #call({ name, call }: Part, text: string): object {
    return { id: `${name}_${this.#answer.id.slice(-8)}${call}`, type: 'function', function: { name, arguments: text } };
  }
}

function contentOf({ kind }: Part, text: string): object[] {
  if (kind === 'text') return [{ type: 'text', text }];
  return kind === 'thinking' ? [{ type: 'thinking', thinking: text }] : [];
}

function finishOf(choice: Choice | undefined): string {
  return choice?.stoppedBy != null ? 'STOP_SEQUENCE' : FINISH_REASONS[choice?.finish ?? 'stop'];
}
