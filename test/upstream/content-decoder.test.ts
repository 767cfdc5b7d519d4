import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ContentCoding, ContentDecoder, contentCodingOf } from '../../src/upstream/content-decoder.ts';

const TEXT = 'data: {"a":"ü"}\n\n'.repeat(500);

function decode(coding: ContentCoding, chunks: Buffer[], { startsPaused = false } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const decoder = new ContentDecoder(coding, {
      onData: (chunk) => pieces.push(chunk),
      onEnd: () => resolve(Buffer.concat(pieces).toString()),
      onError: reject,
      onDrain: () => undefined,
    });
    if (startsPaused) decoder.pause();
    for (const chunk of chunks) decoder.write(chunk);
    decoder.end();
    expect(pieces).toEqual([]);
    if (startsPaused) decoder.resume();
  });
}

describe('the coding of an answer', () => {
  it.each<[string | string[] | undefined, ContentCoding | null]>([
    [undefined, null],
    ['', null],
    ['identity', null],
    ['gzip', 'gzip'],
    [' X-GZIP ', 'gzip'],
    ['deflate', 'deflate'],
    ['br', 'br'],
    ['zstd', 'zstd'],
    ['compress', null],
    ['gzip, br', null],
    [['gzip', 'br'], null],
  ])('%j is %s', (header, coding) => {
    expect(contentCodingOf(header)).toBe(coding);
  });
});

describe('decoding', () => {
  it.each<[string, ContentCoding, Buffer]>([
    ['gzip', 'gzip', gzipSync(TEXT)],
    ['brotli', 'br', brotliCompressSync(TEXT)],
    ['zstandard', 'zstd', zstdCompressSync(TEXT)],
    ['deflate', 'deflate', deflateSync(TEXT)],
    ['deflate without its wrapper', 'deflate', deflateRawSync(TEXT)],
  ])('undoes %s, however it is cut, and from a pause too', async (_name, coding, bytes) => {
    expect(await decode(coding, [bytes])).toBe(TEXT);
    expect(
      await decode(
        coding,
        [...bytes].map((byte) => Buffer.of(byte)),
      ),
    ).toBe(TEXT);
    expect(await decode(coding, [bytes], { startsPaused: true })).toBe(TEXT);
  });

  it('of nothing is nothing', async () => {
    expect(await decode('gzip', [])).toBe('');
  });

  it('fails on what is not encoded so', async () => {
    await expect(decode('gzip', [Buffer.from('{"ok":true}')])).rejects.toThrow(/header/);
  });

  it('before the first byte is neither congested nor in the way of being dropped', () => {
    const ignore = (): void => undefined;
    const decoder = new ContentDecoder('gzip', { onData: ignore, onEnd: ignore, onError: ignore, onDrain: ignore });
    decoder.resume();
    decoder.destroy();
    expect(decoder.isCongested).toBe(false);
  });
});
