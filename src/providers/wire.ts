/**
 * What clients can ask for. Each is one endpoint of an API, with a format of its own for its body, its answer and its
 * stream: OpenAI's but for the last two, which are Anthropic's.
 */
export const OPERATIONS = ['chat', 'completions', 'embeddings', 'responses', 'messages', 'count_tokens'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** A JSON object of unknown members. */
export type JsonObject = Readonly<Record<string, unknown>>;

export interface ProviderCall {
  /** In the operation's format, with the upstream's model name (and, streaming, `include_usage`) already spliced in. */
  readonly body: Buffer;
  readonly model: string;
  readonly isStreaming: boolean;
  /** Null: a server that wants no credentials. */
  readonly apiKey: string | null;
  /** The path of the provider's `base_url`, without a trailing slash: `/v1`. */
  readonly basePath: string;
  /** The configured `api_version`; null where none is. */
  readonly apiVersion: string | null;
}

export interface PreparedCall {
  readonly path: string;
  /** Credentials and vendor headers only; the caller adds the common ones. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Fields of the client's that mean nothing there and were left out: the client is told. */
  readonly dropped?: readonly string[];
}

/** What a vendor can't do of a request, for a 400 that names the field. */
export interface Unsupported {
  /** As OpenAI's errors name fields: `messages[0].content[1]`. */
  readonly param: string;
  /** A sentence for the client, without any of its own text. */
  readonly message: string;
}

/** One event of an upstream's stream. */
export interface UpstreamEvent {
  /** Its `event` field; null where it has none. */
  readonly name: string | null;
  readonly json: unknown;
}

/**
 * Turns one answer of a vendor into the operation's format. One is made for each answer, which is either whole or a stream.
 *
 * An error in band, whole or as an event, isn't translated: it comes out as `{"error": <the vendor's words>}` in an event
 * of its own, for `Provider.classify` to judge.
 */
export interface AnswerTranslator {
  /**
   * Whether an event may pass byte for byte without being looked at. Only of vendors that speak the operation's own format
   * with a fault here and there: their whole answers, too, come back as the same object where nothing is wrong.
   */
  keeps?(raw: Buffer): boolean;
  /** A whole answer that is no error. */
  whole(json: JsonObject): JsonObject;
  /**
   * One event. Returns whole events in the operation's format, each with its blank line; empty for one that says nothing
   * there. Usage is told as if it had been asked for; what marks the end, such as `[DONE]`, only when the vendor has said
   * that its answer is complete.
   */
  event(event: UpstreamEvent): string;
  /** The vendor has sent `[DONE]`. Absent: one that never does. */
  done?(): string;
  /** The body has ended. `rest` is what came after the last event, which one vendor puts errors into; mostly empty. */
  end(rest: string): string;
}

/** What an answer is told under, where the vendor doesn't say. */
export interface TranslationContext {
  readonly model: string;
  /** Unix time in seconds. */
  readonly createdS: number;
  /** What the request was estimated at, in LLM tokens. */
  readonly inputTokens?: number;
  /** Vectors are to come as base64 of 32-bit floats, the little end first. */
  readonly wantsBase64?: boolean;
  /** The client has asked to be told the model's thoughts. */
  readonly wantsThinking?: boolean;
}

/** Reads and changes the top-level fields of a body that passes as it is otherwise. */
export interface FieldEditor {
  /** As JSON means it; undefined: there is no such field. */
  valueOf(name: string): unknown;
  set(name: string, value: unknown): void;
  drop(name: string): void;
}

/** How one vendor is asked for one operation, and how it answers. */
export interface Wire {
  /**
   * Fields that this vendor knows by another name or in another form, in a body that `prepare` passes on: of those that
   * Sluice reads of the operation. Comes before `prepare`.
   */
  adapt?(fields: FieldEditor, model: string): void;
  /** Headers of the client's that belong to this format, lower-case: they pass, and go before what `prepare` says. */
  readonly clientHeaders?: readonly string[];
  /** The vendor limits these requests apart from all others, so what their answers say of limits is not true of those. */
  readonly isLimitedApart?: true;
  prepare(call: ProviderCall): PreparedCall;
  /**
   * What of this body can't be said there at all; null: it can. Absent: everything can. `body` is in the operation's format
   * and has the fields that Sluice reads checked already; its long `data:` strings are cut. `model` is the upstream's name.
   */
  refuses?(body: JsonObject, model: string): Unsupported | null;
  /** Whether a picture at this https address must be inside the request, since the vendor will not open it. Absent: none must. */
  wantsInline?(url: string): boolean;
  /** Absent: it answers in the operation's own format. */
  translator?(context: TranslationContext): AnswerTranslator;
}

/** By operation; what is absent, a vendor doesn't offer. */
export type Wires = Readonly<Partial<Record<Operation, Wire>>>;
