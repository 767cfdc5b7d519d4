import type { Answer, AnswerWriter, Spot, Usage } from '../../api/answer.ts';
import type { Part } from '../../compose-answer.ts';
import { parseJson } from '../../json.ts';

const FINISH_REASONS = { stop: 'STOP', length: 'MAX_TOKENS', tool_calls: 'STOP' } as const;

/** What stands for the thoughts behind a call; nobody checks it. */
const SIGNATURE = 'c2lnbmVkIGJ5IGEgc2ltdWxhdG9y';

/** `sse`: an event each. `array`: all answers of the stream are one JSON array. */
export type StreamFormat = 'sse' | 'array';

function usageJson({ input, cached, output, thinking }: Usage): object {
  return {
    promptTokenCount: input,
    ...(cached > 0 ? { cachedContentTokenCount: cached } : {}),
    // What is thought stands beside what is said.
    candidatesTokenCount: output - thinking,
    ...(thinking > 0 ? { thoughtsTokenCount: thinking } : {}),
    totalTokenCount: input + output,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
  };
}

/** Writes generated content: each event of a stream is a whole answer with the next parts, and with all usage so far. */
export class ContentWriter implements AnswerWriter {
  readonly streamType: string;
  readonly #answer: Answer;
  readonly #format: StreamFormat;
  #hasBegun = false;

  constructor(answer: Answer, format: StreamFormat) {
    this.#answer = answer;
    this.#format = format;
    this.streamType = format === 'sse' ? 'text/event-stream' : 'application/json; charset=UTF-8';
  }

  whole(usage: Usage): string {
    const candidates = this.#answer.choices.map((choice, index) => {
      const parts = choice.parts.flatMap((part) => this.#partJson(part, part.text()));
      const finishReason = FINISH_REASONS[choice.finish];
      return { content: { ...(parts.length > 0 ? { parts } : {}), role: 'model' }, finishReason, index };
    });
    return JSON.stringify(this.#body(candidates, usage));
  }

  opening(): string {
    return '';
  }

  partStart(): string {
    return '';
  }

  /** Calls come whole. */
  piece(spot: Spot, text: string): string {
    return spot.part.kind === 'call' ? '' : this.#chunk(spot, this.#partJson(spot.part, text));
  }

  partEnd(spot: Spot): string {
    const { part } = spot;
    return part.kind === 'call' ? this.#chunk(spot, this.#partJson(part, part.text())) : '';
  }

  choiceEnd(): string {
    return '';
  }

  /** The last answers say no more, only that they are the last: also after calls. */
  closing(usage: Usage): string {
    const last = this.#answer.choices.map((choice, index) => {
      const parts = [{ text: '' }];
      const candidate = { content: { parts, role: 'model' }, finishReason: FINISH_REASONS[choice.finish], index };
      return this.#event(this.#body([candidate], usage));
    });
    return last.join('') + (this.#format === 'array' ? ']' : '');
  }

  fragment(): string {
    return `${this.#format === 'array' ? ',\r\n' : 'data: '}{"candidates": [{"content": {"pa`;
  }

  #chunk({ choice, round }: Spot, parts: readonly object[]): string {
    if (parts.length === 0) return '';
    const candidate = { content: { parts, role: 'model' }, index: choice };
    return this.#event(this.#body([candidate], this.#answer.usageAfter(round)));
  }

  #event(body: object): string {
    if (this.#format === 'sse') return `data: ${JSON.stringify(body)}\r\n\r\n`;
    const separator = this.#hasBegun ? ',\r\n' : '[';
    this.#hasBegun = true;
    return separator + JSON.stringify(body);
  }

  #body(candidates: readonly object[], usage: Usage): object {
    const { id, model } = this.#answer;
    return { candidates, usageMetadata: usageJson(usage), modelVersion: model, responseId: id };
  }

  #partJson(part: Part, text: string): object[] {
    switch (part.kind) {
      case 'text':
        return [{ text }];
      case 'thinking':
        return [{ text, thought: true }];
      case 'hidden':
        return [];
      case 'call':
        return part.isCut ? [] : [this.#callJson(part, text)];
    }
  }

  /** Newer models give calls ids, and sign the first of several. */
  #callJson({ name, call }: Part, text: string): object {
    const isNew = this.#answer.model.startsWith('gemini-3');
    const id = isNew ? { id: `${this.#answer.id}-${call}` } : {};
    const functionCall = { ...id, name, args: parseJson(text) ?? {} };
    return { functionCall, ...(isNew && call === 0 ? { thoughtSignature: SIGNATURE } : {}) };
  }
}
