import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import compress from '@fastify/compress';
import type { FastifyInstance } from 'fastify';

export type CompressionMode = 'off' | 'json' | 'all';

export type Encoding = 'br' | 'gzip';

/** A compressor of zlib. */
export type Encoder = ReturnType<typeof createBrotliCompress> | ReturnType<typeof createGzip>;

/** Shorter answers gain nothing. */
const SHORTEST_BYTES = 1024;

/** Longer ones cost more than the link is worth; they go out as they are. */
const LONGEST_BYTES = 1024 * 1024;

/** Brotli's own default is for files that are compressed once and served for ever. */
const BROTLI_QUALITY = 4;

/** Compresses what Fastify itself sends, where the configuration asks for it. */
export async function compressAnswers(app: FastifyInstance, mode: CompressionMode): Promise<void> {
  if (mode === 'off') return;
  await app.register(compress, { threshold: SHORTEST_BYTES, encodings: ['br', 'gzip'], globalDecompression: false });
}

/** What is known of an answer when its head goes out. */
export interface AnswerShape {
  readonly contentType: string;
  /** Null: a stream. */
  readonly bytes: number | null;
}

/** How an answer is to be encoded; null: not at all. */
export function chooseEncoding(mode: CompressionMode, accepted: string, shape: AnswerShape): Encoding | null {
  if (!isWorthIt(mode, shape)) return null;
  const wanted = accepted
    .toLowerCase()
    .split(',')
    .filter((part) => !/;\s*q=0(?:\.0*)?\s*$/.test(part))
    .map((part) => part.split(';')[0]?.trim());
  if (wanted.includes('br')) return 'br';
  return wanted.includes('gzip') ? 'gzip' : null;
}

function isWorthIt(mode: CompressionMode, { contentType, bytes }: AnswerShape): boolean {
  if (mode === 'off') return false;
  if (bytes === null) return mode === 'all' && contentType.startsWith('text/event-stream');
  return contentType.startsWith('application/json') && bytes >= SHORTEST_BYTES && bytes <= LONGEST_BYTES;
}

/** A compressor that gives out every write at once, so that no event of a stream is held back. */
export function createEncoder(encoding: Encoding): Encoder {
  if (encoding === 'gzip') return createGzip({ flush: constants.Z_SYNC_FLUSH });
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
  return createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH, params });
}
