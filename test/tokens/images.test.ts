import { describe, expect, it } from 'vitest';
import { imageSizeOf } from '../../src/tokens/image-size.ts';
import { type ImageRule, imageTokens } from '../../src/tokens/image-tokens.ts';
import { familyOf } from '../../src/tokens/model-family.ts';

const dataUrl = (bytes: Buffer, type = 'image/png') => `data:${type};base64,${bytes.toString('base64')}`;

function png(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.write('\x89PNG\r\n\x1a\n', 'latin1');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

function gif(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.write('GIF89a', 'latin1');
  bytes.writeUInt16LE(width, 6);
  bytes.writeUInt16LE(height, 8);
  return bytes;
}

function webp(kind: string, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(48);
  bytes.write('RIFF', 'latin1');
  bytes.write(`WEBP${kind}`, 8, 'latin1');
  write(bytes);
  return bytes;
}

/** `previewBytes`: a segment before the frame header, as cameras write. */
function jpeg(width: number, height: number, previewBytes = 0): Buffer {
  const preview = Buffer.alloc(previewBytes + 4);
  preview.writeUInt16BE(0xffe1, 0);
  preview.writeUInt16BE(previewBytes + 2, 2);
  const frame = Buffer.alloc(20);
  frame.writeUInt16BE(0xffc2, 0);
  frame.writeUInt16BE(17, 2);
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  const table = Buffer.from([0xff, 0xc4, 0, 4, 0, 0]);
  return Buffer.concat([Buffer.from([0xff, 0xd8]), table, preview, frame]);
}

describe('imageSizeOf', () => {
  const lossy = webp('VP8 ', (bytes) => {
    bytes.writeUInt16LE(640, 26);
    bytes.writeUInt16LE(480, 28);
  });
  const lossless = webp('VP8L', (bytes) => bytes.writeUInt32LE(((479 << 14) | 639) >>> 0, 21));
  const extended = webp('VP8X', (bytes) => {
    bytes.writeUIntLE(639, 24, 3);
    bytes.writeUIntLE(479, 27, 3);
  });

  it.each([
    ['PNG', png(640, 480)],
    ['GIF', gif(640, 480)],
    ['JPEG', jpeg(640, 480)],
    ['JPEG with a preview of 5 kB', jpeg(640, 480, 5000)],
    ['lossy WebP', lossy],
    ['lossless WebP', lossless],
    ['extended WebP', extended],
  ])('reads the size of a %s', (_, bytes) => {
    expect(imageSizeOf(dataUrl(bytes))).toEqual({ width: 640, height: 480 });
  });

  it.each([
    ['an address', 'https://example.com/a.png'],
    ['text without base64', 'data:image/png,abc'],
    ['broken base64', 'data:image/png;base64,!!!!'],
    ['nothing behind the comma', 'data:image/png;base64,'],
    ['an unknown format', dataUrl(Buffer.from('BM and the rest of a bitmap'))],
    ['an unknown WebP', dataUrl(webp('ALPH', () => undefined))],
    ['a PNG that ends early', dataUrl(png(640, 480).subarray(0, 12))],
    ['a PNG without width', dataUrl(png(0, 480))],
    ['a PNG without height', dataUrl(png(480, 0))],
    ['a JPEG that loses its markers', dataUrl(Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(60)]))],
    ['a JPEG whose size comes too late', dataUrl(jpeg(640, 480, 20_000))],
  ])('does not know the size of %s', (_, url) => {
    expect(imageSizeOf(url)).toBeNull();
  });
});

describe('imageTokens', () => {
  const size = (model: string, bytes: Buffer, detail?: string) =>
    imageTokens(familyOf(model).images, dataUrl(bytes), detail);

  it.each([
    ['gpt-4o', 1024, 1024, 765],
    ['gpt-4o', 512, 512, 255],
    ['gpt-4o', 2048, 4096, 1105],
    ['gpt-4o-mini', 512, 512, 8500],
    ['gpt-4.1', 1024, 1024, 765],
    ['gpt-4.1-mini', 1024, 1024, Math.ceil(1024 * 1.62)],
    ['gpt-5-nano', 4000, 3000, Math.ceil(1536 * 2.46)],
    ['o4-mini', 1024, 1024, Math.ceil(1024 * 1.72)],
    ['gpt-5', 1024, 1024, 630],
    ['o3', 1024, 1024, 675],
    ['gpt-5.5', 1024, 1024, 1229],
    ['gpt-5.6', 1920, 1080, 2448],
    ['computer-use-preview', 1024, 1024, 581],
    ['claude-sonnet-4-5', 1024, 1024, 1399],
    ['claude-sonnet-4-5', 4000, 3000, 1600],
    ['claude-opus-4-7', 4000, 3000, 4784],
    ['gemini-3-pro', 1024, 1024, 1100],
    ['gemini-2.5-flash', 384, 200, 258],
    ['gemini-2.5-flash', 385, 200, 258],
    ['gemini-2.0-flash', 1024, 800, 4 * 258],
  ])('of %s for %i x %i', (...[model, width, height, tokens]) => {
    expect(size(model, png(width, height))).toBe(tokens);
  });

  it('charges low detail as a small picture', () => {
    expect(size('gpt-4o', png(4000, 3000), 'low')).toBe(85);
    expect(size('gpt-5.5', png(4000, 3000), 'low')).toBe(Math.ceil(256 * 1.2));
  });

  it('stays within bounds for a picture that claims to be endless', () => {
    const rules: ImageRule[] = ['gpt-4o', 'gpt-5.6', 'claude-3-opus', 'gemini-2'].map(
      (model) => familyOf(model).images,
    );
    for (const rule of rules) {
      expect(imageTokens(rule, dataUrl(png(2 ** 31, 2 ** 31)), 'high')).toBeLessThan(20_000);
      expect(imageTokens(rule, dataUrl(png(2 ** 31, 1)), 'high')).toBeLessThan(20_000);
    }
  });
});

describe('familyOf', () => {
  it.each([
    ['gpt-4o', 'o200k_base', true],
    ['openai/gpt-4o', 'o200k_base', true],
    ['ft:gpt-4o-mini:acme', 'o200k_base', true],
    ['GPT-5.6', 'o200k_base', true],
    ['o3-mini', 'o200k_base', true],
    ['gpt-4', 'cl100k_base', true],
    ['gpt-4-turbo', 'cl100k_base', true],
    ['gpt-35-turbo', 'cl100k_base', true],
    ['gpt-oss-120b', 'o200k_harmony', true],
    ['llama-3.3-70b', 'o200k_base', false],
    ['', 'o200k_base', false],
  ])('knows the encoding of %j', (model, encoding, isOwnEncoding) => {
    expect(familyOf(model)).toMatchObject({ encoding, isOwnEncoding });
  });
});
