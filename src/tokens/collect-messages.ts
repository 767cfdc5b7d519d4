import { type ImageRule, imageTokens } from './image-tokens.ts';
import { isObject, type JsonObject } from './json-object.ts';
import type { Tally } from './tally.ts';

/** Every message and the opening of the answer: `<|start|>role<|message|>...<|end|>`. */
const MESSAGE_TOKENS = 3;
const ANSWER_OPENING_TOKENS = 3;
const NAME_TOKENS = 1;
/** Marks around the name and the arguments of a call. */
const CALL_TOKENS = 3;
const ONE_TOKEN_ROLES = new Set<unknown>(['system', 'developer', 'user', 'assistant', 'tool', 'function']);

/** Decoding the head of a picture costs about as much as walking so many nodes. */
const IMAGE_NODES = 64;

/** One LLM token for 100 ms of sound, as OpenAI documents; bytes a second: 24 kHz PCM, and compressed at 128 kbit/s. */
const AUDIO_TOKENS_PER_SECOND = 10;
const PCM_BYTES_PER_SECOND = 48_000;
const COMPRESSED_BYTES_PER_SECOND = 16_000;
/** An earlier answer in sound that is referred to by its id only. */
const EARLIER_AUDIO_TOKENS = 200;

/** A page of a document comes as its text and a picture of it; a page is taken for 30 kB. */
const PAGE_TOKENS = 2000;
const PAGE_BYTES = 30_000;
const UNSEEN_FILE_TOKENS = 6000;
/** Longer `data:` URLs reach us cut to this length: it says that the file is long, not how long. */
const CUT_DATA_URL_CHARS = 4096;

const BASE64_BYTES_PER_CHAR = 0.75;

/** The messages of a chat; anything that is not a list of messages counts as its JSON text. */
export function collectMessages(tally: Tally, messages: unknown, images: ImageRule): void {
  tally.fixedTokens += ANSWER_OPENING_TOKENS;
  if (!Array.isArray(messages)) {
    tally.json(messages);
    return;
  }
  tally.each(messages, (message: unknown) => {
    tally.fixedTokens += MESSAGE_TOKENS;
    if (isObject(message)) collectMessage(tally, message, images);
    else tally.json(message);
  });
}

function collectMessage(tally: Tally, message: JsonObject, images: ImageRule): void {
  const { role, content, name, refusal, tool_calls: calls, function_call: call, audio } = message;
  if (ONE_TOKEN_ROLES.has(role)) tally.fixedTokens++;
  else tally.json(role);
  collectContent(tally, content, images);
  if (name !== undefined && name !== null) {
    tally.fixedTokens += NAME_TOKENS;
    tally.json(name);
  }
  if (typeof refusal === 'string') tally.text(refusal);
  if (Array.isArray(calls)) tally.each(calls, (each: unknown) => collectCall(tally, each));
  else if (calls) tally.json(calls);
  if (call) collectCall(tally, { function: call });
  if (audio) tally.fixedTokens += EARLIER_AUDIO_TOKENS;
}

function collectContent(tally: Tally, content: unknown, images: ImageRule): void {
  if (typeof content === 'string') tally.text(content);
  else if (Array.isArray(content)) tally.each(content, (part: unknown) => collectPart(tally, part, images));
  else if (content !== null) tally.json(content);
}

function collectPart(tally: Tally, part: unknown, images: ImageRule): void {
  if (!isObject(part)) {
    tally.json(part);
    return;
  }
  switch (part['type']) {
    case 'text':
      tally.json(part['text']);
      return;
    case 'refusal':
      tally.json(part['refusal']);
      return;
    case 'image_url':
      tally.work(IMAGE_NODES);
      tally.fixedTokens += partImageTokens(images, part['image_url']);
      return;
    case 'input_audio':
      tally.fixedTokens += audioTokens(part['input_audio']);
      return;
    case 'file':
      tally.fixedTokens += fileTokens(part['file']);
      return;
    default:
      tally.json(part);
  }
}

/** Some clients write the address itself where an object with `url` belongs. */
function partImageTokens(images: ImageRule, image: unknown): number {
  return isObject(image) ? imageTokens(images, image['url'], image['detail']) : imageTokens(images, image, undefined);
}

function audioTokens(audio: unknown): number {
  if (!isObject(audio) || typeof audio['data'] !== 'string') return EARLIER_AUDIO_TOKENS;
  const rate = audio['format'] === 'wav' ? PCM_BYTES_PER_SECOND : COMPRESSED_BYTES_PER_SECOND;
  return Math.ceil(((audio['data'].length * BASE64_BYTES_PER_CHAR) / rate) * AUDIO_TOKENS_PER_SECOND);
}

function fileTokens(file: unknown): number {
  const data = isObject(file) ? file['file_data'] : undefined;
  if (typeof data !== 'string' || data.length === CUT_DATA_URL_CHARS) return UNSEEN_FILE_TOKENS;
  return Math.ceil((data.length * BASE64_BYTES_PER_CHAR) / PAGE_BYTES) * PAGE_TOKENS;
}

/** A call of a function (`function: { name, arguments }`) or of a tool of one's own (`custom: { name, input }`). */
function collectCall(tally: Tally, call: unknown): void {
  tally.fixedTokens += CALL_TOKENS;
  const body = isObject(call) ? (call['function'] ?? call['custom']) : undefined;
  if (!isObject(body)) {
    tally.json(call);
    return;
  }
  tally.json(body['name']);
  tally.json(body['arguments'] ?? body['input']);
}
