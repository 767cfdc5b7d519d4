export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** Enough base64 for PNG, GIF and WebP; a JPEG's size may come behind its previews. */
const HEAD_CHARS = 64;
const JPEG_HEAD_CHARS = 16_384;
/** A `data:` URL names its media type before the comma; anything longer is not one. */
const MAX_PREFIX_CHARS = 200;

/** Width and height in pixels from the first bytes of a base64 `data:` URL (PNG, JPEG, GIF, WebP); null if they do not say. */
export function imageSizeOf(dataUrl: string): ImageSize | null {
  const comma = dataUrl.slice(0, MAX_PREFIX_CHARS).indexOf(',');
  if (!dataUrl.slice(0, Math.max(0, comma)).endsWith(';base64')) return null;
  const head = decodeBase64(dataUrl.slice(comma + 1, comma + 1 + HEAD_CHARS));
  if (head.startsWith('\xff\xd8')) {
    return plausible(readJpeg(decodeBase64(dataUrl.slice(comma + 1, comma + 1 + JPEG_HEAD_CHARS))));
  }
  return plausible(readFixedHead(head));
}

function plausible(size: ImageSize | null): ImageSize | null {
  return size !== null && size.width > 0 && size.height > 0 ? size : null;
}

/** One character a byte; empty when it is not base64. */
function decodeBase64(text: string): string {
  try {
    return atob(text.slice(0, text.length - (text.length % 4)));
  } catch {
    return '';
  }
}

/** The formats whose size stands at a fixed place. A head that ends before it reads as zero. */
function readFixedHead(head: string): ImageSize | null {
  if (head.startsWith('\x89PNG')) return { width: bigEndian(head, 16, 4), height: bigEndian(head, 20, 4) };
  if (head.startsWith('GIF8')) return { width: littleEndian(head, 6, 2), height: littleEndian(head, 8, 2) };
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return readWebp(head);
  return null;
}

/** The three kinds of WebP: lossy (14 bits each), lossless (14 bits each, less one), extended (24 bits each, less one). */
function readWebp(head: string): ImageSize | null {
  switch (head.slice(12, 16)) {
    case 'VP8 ':
      return { width: littleEndian(head, 26, 2) & 0x3fff, height: littleEndian(head, 28, 2) & 0x3fff };
    case 'VP8L': {
      const bits = littleEndian(head, 21, 4);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: littleEndian(head, 24, 3) + 1, height: littleEndian(head, 27, 3) + 1 };
    default:
      return null;
  }
}

/** Walks a JPEG's segments to the frame header, the markers C0 to CF but for the tables C4, C8 and CC. */
function readJpeg(bytes: string): ImageSize | null {
  for (let at = 2; at + 9 < bytes.length; at += 2 + bigEndian(bytes, at + 2, 2)) {
    const marker = bytes.charCodeAt(at + 1);
    if (bytes.charCodeAt(at) !== 0xff) return null;
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { width: bigEndian(bytes, at + 7, 2), height: bigEndian(bytes, at + 5, 2) };
    }
  }
  return null;
}

function bigEndian(bytes: string, at: number, length: number): number {
  let value = 0;
  for (let index = at; index < at + length; index++) value = value * 256 + (bytes.charCodeAt(index) || 0);
  return value;
}

function littleEndian(bytes: string, at: number, length: number): number {
  let value = 0;
  for (let index = at + length - 1; index >= at; index--) value = value * 256 + (bytes.charCodeAt(index) || 0);
  return value;
}
