import type { AnswerTranslator, JsonObject, UpstreamEvent } from '../wire.ts';
import { CallPlaces, withIds } from './call-places.ts';
import { fieldOf, isObject } from './json.ts';

/** What is wrong with the answers of a vendor that speaks OpenAI's format otherwise. */
export interface Faults {
  /** Why an answer ended, in words that typed clients do not know. */
  readonly finishReasons?: Readonly<Record<string, string>>;
  /** Calls of tools may come without index or id, and end an answer with `stop`. */
  readonly hasLooseCalls?: boolean;
  /** `completion_tokens` leaves the reasoning out. */
  readonly isReasoningApart?: boolean;
}

const CALLS = Buffer.from('"tool_calls"');
const REASONING = Buffer.from('"reasoning_tokens"');
const DONE = 'data: [DONE]\n\n';

/** Puts answers right. What has nothing wrong is the same object afterwards, or the same bytes. */
export class RepairingTranslator implements AnswerTranslator {
  readonly #faults: Faults;
  /** What an event holds that may have to be put right. */
  readonly #marks: readonly Buffer[];
  readonly #places = new CallPlaces();

  constructor(faults: Faults) {
    this.#faults = faults;
    this.#marks = [
      ...Object.keys(faults.finishReasons ?? {}).map((word) => Buffer.from(JSON.stringify(word))),
      ...(faults.hasLooseCalls ? [CALLS] : []),
      ...(faults.isReasoningApart ? [REASONING] : []),
    ];
  }

  whole(json: JsonObject): JsonObject {
    return this.#repaired(json, (choice) => {
      const { message } = choice;
      if (!this.#faults.hasLooseCalls || !isObject(message)) return choice;
      const calls = withIds(message['tool_calls'], json['id']);
      return calls === message['tool_calls'] ? choice : { ...choice, message: { ...message, tool_calls: calls } };
    });
  }

  keeps(raw: Buffer): boolean {
    return !this.#places.hasCalls && this.#marks.every((mark) => !raw.includes(mark));
  }

  event({ json }: UpstreamEvent): string {
    return `data: ${JSON.stringify(isObject(json) ? this.#chunk(json) : json)}\n\n`;
  }

  done(): string {
    return DONE;
  }

  /** What came after the events is for the client's side to judge. */
  end(rest: string): string {
    return rest;
  }

  #chunk(json: JsonObject): JsonObject {
    return this.#repaired(json, (choice) =>
      this.#faults.hasLooseCalls ? this.#places.placed(choice, json['id']) : choice,
    );
  }

  #repaired(json: JsonObject, inChoice: (choice: JsonObject) => JsonObject): JsonObject {
    const choices = mapped(json['choices'], (choice) => this.#ended(inChoice(choice)));
    const usage = this.#usage(json['usage']);
    return choices === json['choices'] && usage === json['usage'] ? json : { ...json, choices, usage };
  }

  #ended(choice: JsonObject): JsonObject {
    const reason = choice['finish_reason'];
    if (typeof reason !== 'string') return choice;
    const known = this.#knownReason(reason, choice);
    return known === reason ? choice : { ...choice, finish_reason: known };
  }

  #knownReason(reason: string, choice: JsonObject): string {
    const { finishReasons = {}, hasLooseCalls = false } = this.#faults;
    const known = Object.hasOwn(finishReasons, reason) ? (finishReasons[reason] as string) : reason;
    const calls = fieldOf(choice['message'], 'tool_calls');
    const hasCalls = (Array.isArray(calls) && calls.length > 0) || this.#places.has(choice['index']);
    return hasLooseCalls && known === 'stop' && hasCalls ? 'tool_calls' : known;
  }

  #usage(usage: unknown): unknown {
    if (!this.#faults.isReasoningApart || !isObject(usage)) return usage;
    const output = usage['completion_tokens'];
    const reasoning = fieldOf(usage['completion_tokens_details'], 'reasoning_tokens');
    if (typeof output !== 'number' || typeof reasoning !== 'number' || reasoning === 0) return usage;
    return { ...usage, completion_tokens: output + reasoning };
  }
}

/** The same list where nothing in it changes. */
function mapped(list: unknown, change: (item: JsonObject) => JsonObject): unknown {
  if (!Array.isArray(list)) return list;
  const items: readonly unknown[] = list;
  const changed = items.map((item) => (isObject(item) ? change(item) : item));
  return changed.some((item, index) => item !== items[index]) ? changed : list;
}
