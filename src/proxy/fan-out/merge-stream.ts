import { isObject, type JsonObject, listOf } from '../request-body/fields.ts';
import { addUsage } from './usage-sum.ts';

/** What is the same in all chunks of one stream. */
const HEAD = ['id', 'object', 'created', 'model'] as const;

/**
 * Chunks of several streams of one choice each as those of one stream: under the head of the first, each with its choice's
 * index, and what was used told once at the end.
 */
export class StreamMerge {
  #head: JsonObject | null = null;
  #usage: JsonObject | null = null;

  /** @returns the chunk as an event of the common stream; empty: it says nothing there */
  chunk(index: number, json: JsonObject): string {
    this.#head ??= Object.fromEntries(HEAD.filter((name) => name in json).map((name) => [name, json[name]]));
    const choices = listOf(json['choices']).filter(isObject);
    const { usage, ...rest } = json;
    if (isObject(usage)) this.#usage = this.#usage ? addUsage(this.#usage, usage) : usage;
    if (choices.length === 0) return '';
    const nothingYet = 'usage' in json ? { usage: null } : {};
    return event({ ...rest, ...this.#head, choices: choices.map((choice) => ({ ...choice, index })), ...nothingYet });
  }

  /** All of them have ended. Usage comes only where the client has asked for it: only then has any chunk told it. */
  end(): string {
    const usage = this.#usage === null ? '' : event({ ...this.#head, choices: [], usage: this.#usage });
    return `${usage}data: [DONE]\n\n`;
  }
}

function event(json: JsonObject): string {
  return `data: ${JSON.stringify(json)}\n\n`;
}
