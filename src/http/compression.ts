import compress from '@fastify/compress';
import type { FastifyInstance } from 'fastify';

/** Shorter answers gain nothing. */
const SHORTEST_BYTES = 1024;

/** Longer ones would keep the loop busy; they go out as they are. */
export const LONGEST_COMPRESSED_BYTES = 1024 * 1024;

/** Compresses what Fastify itself sends, where the configuration asks for it. */
export async function compressAnswers(app: FastifyInstance, mode: 'off' | 'json' | 'all'): Promise<void> {
  if (mode === 'off') return;
  await app.register(compress, {
    threshold: SHORTEST_BYTES,
    encodings: ['br', 'gzip'],
    globalDecompression: false,
  });
}
