import { isUtf8 } from 'node:buffer';
import { CHAT_NAMES, chatFacts, type RequestFacts } from './request-body/chat-facts.ts';
import { isObject, type JsonObject } from './request-body/fields.ts';
import { type BodyScan, invalidJson, scanObject, syntaxError } from './request-body/scan.ts';
import { type MemberEdit, spliceMembers, textForParsing } from './request-body/splice.ts';

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
}

/**
 * A client's body: its bytes as they came and a few facts, which is all that a waiting request holds. The parsed form
 * lives until `takeParsed`.
 */
export class RequestBody {
  /** As received, without a byte order mark. */
  readonly bytes: Buffer;
  readonly facts: RequestFacts;
  readonly #scan: BodyScan;
  #parsed: JsonObject | undefined;

  constructor(bytes: Buffer, scan: BodyScan, read: { readonly parsed: JsonObject; readonly facts: RequestFacts }) {
    this.bytes = bytes;
    this.#scan = scan;
    this.#parsed = read.parsed;
    this.facts = read.facts;
  }

  /** For the estimator, once: afterwards it is undefined here. Long `data:` strings hold their first 4 KiB only. */
  takeParsed(): JsonObject {
    const parsed = this.#parsed;
    if (parsed === undefined) throw new Error('the parsed body was asked for twice');
    this.#parsed = undefined;
    return parsed;
  }

  /** The bytes to send: only the values of `model` and `stream_options` may differ. May be `bytes` itself. */
  forUpstream(edits: UpstreamEdits): Buffer {
    const members: MemberEdit[] = [];
    if (edits.model !== this.facts.model) members.push({ name: 'model', json: JSON.stringify(edits.model) });
    if (edits.includeUsage && this.facts.isStreaming && !this.facts.wantsUsage) members.push(this.#usageOption());
    return spliceMembers(this.bytes, this.#scan, members);
  }

  /** The client's own options are read again from the bytes, so that nothing parsed has to be kept for this. */
  #usageOption(): MemberEdit {
    const span = this.#scan.members.get('stream_options');
    const own: unknown = span ? JSON.parse(this.bytes.toString('utf8', span.start, span.end)) : null;
    const options = isObject(own) ? own : {};
    return { name: 'stream_options', json: JSON.stringify({ ...options, include_usage: true }) };
  }
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
  return new RequestBody(bytes, scan, { parsed, facts: reader.facts(parsed) });
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
