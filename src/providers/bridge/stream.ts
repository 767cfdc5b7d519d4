import { fieldAt, isObject, listAt, numberAt, objectAt, textAt } from '../mapping/json.ts';
import type { Usage } from '../provider.ts';
import type { JsonObject } from '../wire.ts';
import { type AnswerContext, thoughtsIn, useId } from './answer.ts';
import { endingOf, estimatedUsage, isFailure, messageId } from './endings.ts';
import { keepsakeBlock, kept } from './keepsake.ts';
import { MessageStreamWriter } from './message-writer.ts';

/** A call that has begun. */
interface OpenCall {
  readonly block: number;
  /** Under which the client knows it. */
  readonly id: string;
  /** As the vendor calls it. */
  readonly vendorId: string | null;
  kept: JsonObject;
}

/** The chunks of one streamed chat as the events of a message. The usage is known late, so the end is told last. */
export class ChunkTranslator {
  readonly #context: AnswerContext;
  readonly #writer = new MessageStreamWriter();
  readonly #calls = new Map<number, OpenCall>();
  #id = '';
  #kept: JsonObject = {};
  /** The choice that held the finish reason. */
  #last: JsonObject | null = null;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  /** One chunk; an error in band goes on as it is. */
  chunk(json: JsonObject): string {
    if (json['error'] || json['object'] === 'error') return errorEvent(json['error'] ?? json);
    const choice = listAt(json, 'choices').find(isObject);
    if (choice === undefined || this.#last !== null) return '';
    const reason = textAt(choice, 'finish_reason');
    if (isFailure(reason)) return errorEvent({ message: 'The model broke off its answer.', type: 'server_error' });
    const events = this.#begin(json) + this.#delta(objectAt(choice, 'delta') ?? {});
    if (reason !== null && reason !== '') this.#last = choice;
    return events;
  }

  /** `[DONE]`: without an answer before it, it is for the reader to judge. */
  done(usage: Usage | null): string {
    return this.#writer.hasStarted ? this.#end(this.#last ?? {}, usage) : 'data: [DONE]\n\n';
  }

  /** The body has ended: the answer is complete if it has said why it ended. */
  end(usage: Usage | null): string {
    return this.#last === null ? '' : this.#end(this.#last, usage);
  }

  #begin(json: JsonObject): string {
    if (this.#writer.hasStarted) return '';
    this.#id = messageId(textAt(json, 'id'), this.#context);
    const { model, inputTokens } = this.#context;
    return this.#writer.start({
      id: this.#id,
      model: textAt(json, 'model') || model,
      usage: estimatedUsage(inputTokens),
    });
  }

  #delta(delta: JsonObject): string {
    const { thoughts, signature } = thoughtsIn(delta, this.#context.vendor);
    this.#kept = kept(delta, this.#kept);
    return [
      this.#context.wantsThinking ? this.#writer.thinking(thoughts, signature) : '',
      this.#writer.text(textAt(delta, 'content') ?? ''),
      this.#writer.text(textAt(delta, 'refusal') ?? ''),
      ...listAt(delta, 'tool_calls')
        .filter(isObject)
        .map((call) => this.#call(call)),
    ].join('');
  }

  #call(call: JsonObject): string {
    const place = this.#placeOf(call);
    const known = this.#calls.get(place);
    const begun = known ? { call: known, events: '' } : this.#beginCall(place, call);
    begun.call.kept = kept(call, begun.call.kept);
    const called = fieldAt(call, 'function');
    return begun.events + this.#writer.input(begun.call.block, textAt(called, 'arguments') ?? '');
  }

  /** Some servers leave the index out: then a new id is a new call. */
  #placeOf(call: JsonObject): number {
    const index = numberAt(call, 'index');
    if (index !== null) return index;
    const id = textAt(call, 'id') || null;
    const known = [...this.#calls].find(([, { vendorId }]) => id !== null && vendorId === id)?.[0];
    const isNew = id !== null || this.#calls.size === 0;
    return known ?? (isNew ? this.#calls.size : this.#calls.size - 1);
  }

  #beginCall(place: number, call: JsonObject) {
    const vendorId = textAt(call, 'id') || null;
    const id = useId(vendorId, this.#id, place);
    const name = textAt(fieldAt(call, 'function'), 'name') ?? '';
    const { index, events } = this.#writer.block({ type: 'tool_use', id, name, input: {} });
    const begun: OpenCall = { block: index, id, vendorId, kept: {} };
    this.#calls.set(place, begun);
    return { call: begun, events };
  }

  #end(choice: JsonObject, usage: Usage | null): string {
    const known = usage ?? estimatedUsage(this.#context.inputTokens);
    return this.#keepsake() + this.#writer.end(endingOf(choice, this.#calls.size > 0), known);
  }

  #keepsake(): string {
    if (!this.#context.wantsThinking) return '';
    const ofCalls = [...this.#calls.values()].filter((call) => Object.keys(call.kept).length > 0);
    const members = Object.fromEntries(ofCalls.map((call) => [call.id, call.kept]));
    const block = keepsakeBlock({ ofMessage: this.#kept, ofCalls: members }, this.#context.vendor);
    return block === null ? '' : this.#writer.block(block).events;
  }
}

/** In a form that tells errors apart, whatever the rest looks like. */
function errorEvent(error: unknown): string {
  return `event: error\ndata: ${JSON.stringify({ error })}\n\n`;
}
