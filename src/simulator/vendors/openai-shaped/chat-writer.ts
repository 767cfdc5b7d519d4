import type { Answer, AnswerWriter, Spot, Usage } from '../../api/answer.ts';
import { type Choice, textOf } from '../../compose-answer.ts';
import type { Json } from '../../json.ts';

/** Where vendors that speak OpenAI's chat completions differ. */
export interface ChatDialect {
  /** Part of every answer and every event. */
  readonly service: Json;
  /** Part of a whole answer alone. */
  readonly wholeService: Json;
  /** Keys of a message beside role and content. */
  readonly message: Json;
  /** Keys of each choice beside the usual. */
  readonly choice: Json;
  /** A call comes in one piece, with the last chunk. */
  readonly hasWholeCalls: boolean;
  /** Data of an event before all others; null: there is none. */
  readonly preamble: Json | null;
  /** What the last chunk of a stream says of usage, asked or not; null: nothing. */
  readonly lastChunk: ((usage: object, answerId: string) => Json) | null;
  callId(answerId: string, choice: number, call: number): string;
  usage(usage: Usage): object;
  /** A delta of thinking that is shown; null: this vendor shows none. */
  thoughtDelta(text: string): Json | null;
  /** Keys of a whole message that say what was thought and said. */
  said(text: string, thought: string): Json;
}

export const OPENAI_DIALECT: ChatDialect = {
  service: { service_tier: 'default', system_fingerprint: 'fp_simulated' },
  wholeService: {},
  message: { refusal: null },
  choice: { logprobs: null },
  hasWholeCalls: false,
  preamble: null,
  lastChunk: null,
  callId: (answerId, choice, call) => `call_${answerId}-${choice}${call === 0 ? '' : `-${call}`}`,
  usage: usageJson,
  thoughtDelta: () => null,
  said: (text) => ({ content: text }),
};

export interface ChatAnswer {
  readonly answer: Answer;
  /** The client wants the usage of a stream. */
  readonly includesUsage: boolean;
  readonly dialect: ChatDialect;
}

function usageJson({ input, output, cached, thinking }: Usage): object {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: thinking,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** Writes chat completions. What never changes within an answer is serialised once. */
export class ChatWriter implements AnswerWriter {
  readonly #chat: ChatAnswer;
  readonly #id: string;
  readonly #before: string;
  readonly #choiceKeys: string;
  /** What ends an event of an answer whose usage comes in one of its own. */
  readonly #usageToCome: string;

  constructor(chat: ChatAnswer) {
    const { answer, includesUsage, dialect } = chat;
    this.#chat = chat;
    this.#id = `chatcmpl-${answer.id}`;
    this.#before = `data: ${JSON.stringify(this.#common('chat.completion.chunk')).slice(0, -1)},"choices":[`;
    this.#choiceKeys = JSON.stringify(dialect.choice).slice(1, -1);
    this.#usageToCome = includesUsage && dialect.lastChunk === null ? ',"usage":null' : '';
  }

  whole(usage: Usage): string {
    const { answer, dialect } = this.#chat;
    const { id, object, created, model, ...service } = this.#common('chat.completion');
    const choices = answer.choices.map((choice, index) => ({
      index,
      message: this.#message(choice, index),
      ...dialect.choice,
      finish_reason: choice.finish,
    }));
    const common = { id, object, created, model, choices, usage: dialect.usage(usage) };
    return JSON.stringify({ ...common, ...service, ...dialect.wholeService });
  }

  /** The role of each choice, and for a call the function's name. */
  opening(): string {
    const { answer, dialect } = this.#chat;
    const preamble = dialect.preamble === null ? '' : `data: ${JSON.stringify(dialect.preamble)}\n\n`;
    const roles = answer.choices.map(({ parts: [first] }, index) => {
      const isCall = first?.kind === 'call' && !dialect.hasWholeCalls;
      const role = { role: 'assistant', content: isCall ? null : '', ...dialect.message };
      const calls = isCall ? { tool_calls: [this.#callStart(index, 0, first.name)] } : {};
      return this.#chunk(index, JSON.stringify({ ...role, ...calls }));
    });
    return preamble + roles.join('');
  }

  partStart({ choice, index, part }: Spot): string {
    // What comes first was named with the role.
    if (part.kind !== 'call' || index === 0 || this.#chat.dialect.hasWholeCalls) return '';
    return this.#chunk(choice, JSON.stringify({ tool_calls: [this.#callStart(choice, part.call, part.name)] }));
  }

  piece({ choice, part }: Spot, text: string): string {
    const { dialect } = this.#chat;
    if (part.kind === 'text') return this.#chunk(choice, `{"content":${JSON.stringify(text)}}`);
    if (part.kind === 'call' && !dialect.hasWholeCalls) {
      const call = `{"index":${part.call},"function":{"arguments":${JSON.stringify(text)}}}`;
      return this.#chunk(choice, `{"tool_calls":[${call}]}`);
    }
    const thought = part.kind === 'thinking' ? dialect.thoughtDelta(text) : null;
    return thought === null ? '' : this.#chunk(choice, JSON.stringify(thought));
  }

  partEnd(): string {
    return '';
  }

  choiceEnd(choice: number): string {
    if (this.#chat.dialect.lastChunk !== null) return '';
    return this.#chunk(choice, '{}', this.#chat.answer.choices[choice]?.finish);
  }

  closing(usage: Usage): string {
    const { includesUsage, dialect, answer } = this.#chat;
    const usageText = JSON.stringify(dialect.usage(usage));
    if (dialect.lastChunk === null) {
      const usageChunk = includesUsage ? `${this.#before}],"usage":${usageText}}\n\n` : '';
      return `${usageChunk}data: [DONE]\n\n`;
    }
    const extra = JSON.stringify(dialect.lastChunk(dialect.usage(usage), answer.id)).slice(1, -1);
    const lastIndex = answer.choices.length - 1;
    const chunks = answer.choices.map((choice, index) => {
      const chunk = this.#chunk(index, JSON.stringify(this.#lastDelta(choice, index)), choice.finish);
      return index === lastIndex ? `${chunk.slice(0, -'}\n\n'.length)},${extra}}\n\n` : chunk;
    });
    return `${chunks.join('')}data: [DONE]\n\n`;
  }

  fragment(): string {
    return `data: {"id":"${this.#id}","object":"chat.compl`;
  }

  #common(object: string) {
    const { created, model } = this.#chat.answer;
    return { id: this.#id, object, created, model, ...this.#chat.dialect.service };
  }

  #lastDelta(choice: Choice, index: number): object {
    if (!this.#chat.dialect.hasWholeCalls) return {};
    const calls = this.#wholeCalls(choice, index).map((call, number) => ({ ...call, index: number }));
    return calls.length > 0 ? { content: '', tool_calls: calls } : { content: '' };
  }

  #message(choice: Choice, index: number): object {
    const { message, said } = this.#chat.dialect;
    const calls = this.#wholeCalls(choice, index);
    const words = said(textOf(choice, 'text'), textOf(choice, 'thinking'));
    return {
      role: 'assistant',
      ...(calls.length > 0 ? { ...words, content: null } : words),
      ...message,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    };
  }

  #wholeCalls(choice: Choice, index: number): object[] {
    return choice.parts.flatMap(({ kind, call, name, text }) => {
      if (kind !== 'call') return [];
      const id = this.#chat.dialect.callId(this.#chat.answer.id, index, call);
      return [{ id, type: 'function', function: { name, arguments: text() } }];
    });
  }

  #callStart(choice: number, call: number, name: string): object {
    const id = this.#chat.dialect.callId(this.#chat.answer.id, choice, call);
    return { index: call, id, type: 'function', function: { name, arguments: '' } };
  }

  #chunk(index: number, delta: string, finish?: string): string {
    const keys = this.#choiceKeys === '' ? '' : `,${this.#choiceKeys}`;
    const reason = finish === undefined ? 'null' : `"${finish}"`;
    const choice = `{"index":${index},"delta":${delta}${keys},"finish_reason":${reason}}`;
    return `${this.#before}${choice}]${this.#usageToCome}}\n\n`;
  }
}
