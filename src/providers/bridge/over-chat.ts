import { isObject, parsed } from '../mapping/json.ts';
import type { Provider, Usage } from '../provider.ts';
import type {
  AnswerTranslator,
  FieldEditor,
  JsonObject,
  ProviderCall,
  TranslationContext,
  UpstreamEvent,
  Wire,
} from '../wire.ts';
import { type AnswerContext, messageOf } from './answer.ts';
import { chatRequest, refusesMessages } from './request.ts';
import { ChunkTranslator } from './stream.ts';

export interface BridgeFacts {
  /** Tells what it has written from what others have. */
  readonly vendor: string;
  /** Of the vendor's own answers. */
  readonly readUsage: Provider['readUsage'];
  /** The usage of a stream has to be asked for. */
  readonly asksForUsage: boolean;
}

/** The Messages API for a vendor that has chats only: a message becomes a chat, and the chat whatever the vendor speaks. */
export function overChat(chat: Wire, facts: BridgeFacts): Wire {
  return {
    prepare: (call) => {
      const { body, dropped } = chatRequest(objectIn(call.body), { ...call, vendor: facts.vendor });
      const prepared = chat.prepare({ ...call, body: bytesOf(body, { chat, call, facts }) });
      return { ...prepared, dropped: [...dropped, ...(prepared.dropped ?? [])] };
    },
    refuses: (body, model) => {
      const refusal = refusesMessages(body);
      if (refusal !== null || !chat.refuses) return refusal;
      return chat.refuses(chatRequest(body, { model, isStreaming: false, vendor: facts.vendor }).body, model);
    },
    ...(chat.wantsInline ? { wantsInline: chat.wantsInline } : {}),
    translator: (context) => new BridgeTranslator(facts, context, chat.translator?.(context) ?? null),
  };
}

interface Around {
  readonly chat: Wire;
  readonly call: ProviderCall;
  readonly facts: BridgeFacts;
}

/** With what the proxy does to a chat that a client has sent itself. */
function bytesOf(body: JsonObject, { chat, call, facts }: Around): Buffer {
  const fields = new Map(Object.entries(body));
  if (call.isStreaming && facts.asksForUsage) fields.set('stream_options', { include_usage: true });
  chat.adapt?.(editorOf(fields), call.model);
  return Buffer.from(JSON.stringify(Object.fromEntries(fields)));
}

function editorOf(fields: Map<string, unknown>): FieldEditor {
  return {
    valueOf: (name) => fields.get(name),
    set: (name, value) => fields.set(name, value),
    drop: (name) => fields.delete(name),
  };
}

/** The vendor's answer as a chat, and that as a message. */
class BridgeTranslator implements AnswerTranslator {
  readonly #readUsage: Provider['readUsage'];
  readonly #context: AnswerContext;
  /** Null: the vendor answers in OpenAI's format. */
  readonly #inner: AnswerTranslator | null;
  readonly #chunks: ChunkTranslator;
  #usage: Usage | null = null;

  constructor({ readUsage, vendor }: BridgeFacts, context: TranslationContext, inner: AnswerTranslator | null) {
    this.#readUsage = readUsage;
    this.#context = { ...context, vendor };
    this.#inner = inner;
    this.#chunks = new ChunkTranslator(this.#context);
  }

  whole(json: JsonObject): JsonObject {
    return messageOf(this.#inner?.whole(json) ?? json, this.#readUsage(json, null), this.#context);
  }

  event(event: UpstreamEvent): string {
    this.#usage = this.#readUsage(event.json, this.#usage) ?? this.#usage;
    if (this.#inner !== null) return this.#told(this.#inner.event(event));
    const { name, json } = event;
    return this.#chunk(name === 'error' && isObject(json) ? { error: json['error'] ?? json } : json);
  }

  done(): string {
    return this.#inner?.done ? this.#told(this.#inner.done()) : this.#chunks.done(this.#usage);
  }

  end(rest: string): string {
    return this.#told(this.#inner?.end(rest) ?? rest) + this.#chunks.end(this.#usage);
  }

  /** Whole events of a chat's stream, as translators write them. */
  #told(events: string): string {
    const lines = events.split('\n').filter((line) => line.startsWith('data: '));
    return lines.map((line) => this.#data(line.slice('data: '.length))).join('');
  }

  #data(data: string): string {
    return data === '[DONE]' ? this.#chunks.done(this.#usage) : this.#chunk(parsed(data));
  }

  #chunk(json: unknown): string {
    return isObject(json) ? this.#chunks.chunk(json) : `data: ${JSON.stringify(json)}\n\n`;
  }
}

function objectIn(bytes: Buffer): JsonObject {
  const json = parsed(bytes.toString());
  return isObject(json) ? json : {};
}
