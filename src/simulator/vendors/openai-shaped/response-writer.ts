import type { Answer, AnswerWriter, Spot, Usage } from '../../api/answer.ts';
import type { Part } from '../../compose-answer.ts';
import { type AskedResponse, type End, itemId, itemJson, responseJson, textJson } from './response-items.ts';

export interface ResponseCase {
  readonly answer: Answer;
  readonly asked: AskedResponse;
  /** Keeps the finished response under its id. */
  store(id: string, response: object): void;
}

/** Writes responses, whole and as numbered events. */
export class ResponseWriter implements AnswerWriter {
  readonly #given: ResponseCase;
  #sequence = 0;

  constructor(given: ResponseCase) {
    this.#given = given;
  }

  whole(usage: Usage): string {
    return JSON.stringify(this.#finished(usage));
  }

  opening(): string {
    const response = this.#response(null);
    return this.#event('response.created', { response }) + this.#event('response.in_progress', { response });
  }

  partStart({ index, part }: Spot): string {
    const { answer } = this.#given;
    const added = { output_index: index, item: itemJson(answer, part, null) };
    const start = this.#event('response.output_item.added', added);
    if (part.kind !== 'text') return start;
    const place = this.#place(index, part);
    return start + this.#event('response.content_part.added', { ...place, part: textJson('') });
  }

  piece({ index, part }: Spot, text: string): string {
    if (part.kind === 'text') {
      return this.#event('response.output_text.delta', { ...this.#place(index, part), delta: text, logprobs: [] });
    }
    if (part.kind !== 'call') return '';
    const place = { item_id: itemId(this.#given.answer, part), output_index: index };
    return this.#event('response.function_call_arguments.delta', { ...place, delta: text });
  }

  partEnd({ index, part }: Spot): string {
    const { answer } = this.#given;
    const text = part.text();
    const said = this.#saidEnd(index, part, text);
    return said + this.#event('response.output_item.done', { output_index: index, item: itemJson(answer, part, text) });
  }

  choiceEnd(): string {
    return '';
  }

  closing(usage: Usage): string {
    const response = this.#finished(usage);
    const isCut = this.#given.answer.choices[0]?.finish === 'length';
    return this.#event(isCut ? 'response.incomplete' : 'response.completed', { response });
  }

  fragment(): string {
    return 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item';
  }
  #saidEnd(index: number, part: Part, text: string): string {
    if (part.kind === 'call') {
      const place = { item_id: itemId(this.#given.answer, part), output_index: index };
      return this.#event('response.function_call_arguments.done', { ...place, name: part.name, arguments: text });
    }
    if (part.kind !== 'text') return '';
    const place = this.#place(index, part);
    const done = this.#event('response.output_text.done', { ...place, text, logprobs: [] });
    return done + this.#event('response.content_part.done', { ...place, part: textJson(text) });
  }

  #place(index: number, part: Part): object {
    return { item_id: itemId(this.#given.answer, part), output_index: index, content_index: 0 };
  }

  #finished(usage: Usage): object {
    const response = this.#response({ usage });
    this.#given.store(`resp_${this.#given.answer.id}`, response);
    return response;
  }

  #response(end: End | null): object {
    return responseJson(this.#given.answer, this.#given.asked, end);
  }

  #event(type: string, fields: object): string {
    const event = { type, sequence_number: this.#sequence, ...fields };
    this.#sequence += 1;
    return `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
  }
}
