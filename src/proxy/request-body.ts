import { isUtf8 } from 'node:buffer';
import type { FieldEditor, Wire } from '../providers/wire.ts';
import { BodyDraft } from './request-body/body-draft.ts';
import { CHAT_NAMES, chatFacts, type RequestFacts } from './request-body/chat-facts.ts';
import { isObject, type JsonObject } from './request-body/fields.ts';
import { type BodyScan, invalidJson, type OtherNames, scanObject, syntaxError } from './request-body/scan.ts';
import { textForParsing } from './request-body/splice.ts';
import { applyEdits, type TargetEdits } from './target-edits.ts';

export type { RequestFacts } from './request-body/chat-facts.ts';

/** What Sluice reads of the bodies of one endpoint. */
export interface BodyReader {
  /** Top-level fields, in lower case; `model` and `stream_options` among them if they are to be edited. */
  readonly names: ReadonlySet<string>;
  /** Throws a `ProxyError` when a field is missing or has the wrong type. */
  facts(body: JsonObject): RequestFacts;
}

const CHAT: BodyReader = { names: CHAT_NAMES, facts: chatFacts };

export interface UpstreamEdits {
  /** The name that the upstream knows. */
  readonly model: string;
  /** Ask for the usage chunk. Does nothing for a request that is not streamed. */
  readonly includeUsage: boolean;
  /** What the configuration changes; null: nothing. Its names must have been noted. */
  readonly edits?: TargetEdits | null;
  /** What the vendor wants in another form. */
  readonly adapt?: Wire['adapt'];
}

/**
 * A client's body: its bytes as they came and a few facts, which is all that a waiting request holds. The parsed form
 * lives until `takeParsed`.
 */
export class RequestBody {
  /** As received, without a byte order mark. */
  readonly bytes: Buffer;
  readonly facts: RequestFacts;
  readonly #names: ReadonlySet<string>;
  #scan: BodyScan;
  #parsed: JsonObject | undefined;

  constructor(bytes: Buffer, scan: BodyScan, read: ReadBody) {
    this.bytes = bytes;
    this.#scan = scan;
    this.#parsed = read.parsed;
    this.#names = read.names;
    this.facts = read.facts;
  }

  /**
   * Looks for further fields, which are to be edited.
   * @throws ProxyError `invalid_json`, `bad_request`: one of them is given twice, or in other letters
   */
  note(others: OtherNames): void {
    if (others.size > 0) this.#scan = scanObject(this.bytes, this.#names, others);
  }

  /** The same for a look that keeps nothing of it. */
  get parsed(): JsonObject | null {
    return this.#parsed ?? null;
  }

  /** For the estimator, once: afterwards it is undefined here. Long `data:` strings hold their first 4 KiB only. */
  takeParsed(): JsonObject {
    const parsed = this.#parsed;
    if (parsed === undefined) throw new Error('the parsed body was asked for twice');
    this.#parsed = undefined;
    return parsed;
  }

  /** The bytes with changes to fields that have been noted. */
  edited(edit: (fields: FieldEditor) => void): Buffer {
    const draft = new BodyDraft(this.bytes, this.#scan);
    edit(draft);
    return draft.toBytes();
  }

  /** The bytes to send: only the values of edited fields differ. May be `bytes` itself. */
  forUpstream({ model, includeUsage, edits = null, adapt }: UpstreamEdits): Buffer {
    const draft = new BodyDraft(this.bytes, this.#scan);
    if (model !== this.facts.model) draft.set('model', model);
    if (edits) applyEdits(draft, edits);
    const isDropped = edits?.drop.includes('stream_options') ?? false;
    if (includeUsage && !isDropped && this.facts.isStreaming && !this.facts.wantsUsage) askForUsage(draft);
    adapt?.(draft, model);
    return draft.toBytes();
  }
}

interface ReadBody {
  readonly parsed: JsonObject;
  readonly facts: RequestFacts;
  readonly names: ReadonlySet<string>;
}

/** With the client's own options beside it. */
function askForUsage(draft: BodyDraft): void {
  const own = draft.valueOf('stream_options');
  draft.set('stream_options', { ...(isObject(own) ? own : {}), include_usage: true });
}

/**
 * Reads a request body: UTF-8, one scan of the bytes for structure, one `JSON.parse` of a copy without long `data:`
 * strings, then the facts. A body is accepted exactly if `JSON.parse` accepts it and it keeps within the limits.
 * @throws ProxyError `invalid_json`, `missing_required_parameter`, `invalid_type`, `bad_request`
 */
export function readRequestBody(received: Buffer, reader: BodyReader = CHAT): RequestBody {
  const bytes = withoutMark(received);
  if (!isUtf8(bytes)) throw invalidJson('it is not UTF-8');
  const scan = scanObject(bytes, reader.names);
  const parsed = parse(bytes, scan);
  requireNames(parsed, scan);
  return new RequestBody(bytes, scan, { parsed, facts: reader.facts(parsed), names: reader.names });
}

function parse(bytes: Buffer, scan: BodyScan): JsonObject {
  try {
    return JSON.parse(textForParsing(bytes, scan)) as JsonObject;
  } catch {
    // Its message would quote the body.
    throw syntaxError(bytes);
  }
}

/**
 * V8's parser (seen in Node 24.21) reads a name with an escape, such as `"mod\u0065l"`, as `mod\` once it has met an
 * object with that name in the same place. Facts and edits must speak of the same fields.
 */
function requireNames(parsed: JsonObject, scan: BodyScan): void {
  for (const name of scan.members.keys()) {
    if (!Object.hasOwn(parsed, name)) throw invalidJson(`write the name of the field "${name}" without escapes`);
  }
}

function withoutMark(bytes: Buffer): Buffer {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? bytes.subarray(3) : bytes;
}
