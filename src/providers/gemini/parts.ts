import type { Part } from '../mapping/chat-request.ts';
import { readDataUrl } from '../mapping/data-url.ts';
import type { JsonObject, Unsupported } from '../wire.ts';

/** One part of a turn in the vendor's format. */
export type GeminiPart = JsonObject;

/** What files are by the ends of their names, where nothing else says so. */
const TYPES_BY_ENDING: ReadonlyMap<string, string> = new Map([
  ['pdf', 'application/pdf'],
  ['txt', 'text/plain'],
  ['md', 'text/markdown'],
  ['html', 'text/html'],
  ['csv', 'text/csv'],
  ['json', 'application/json'],
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['mp3', 'audio/mp3'],
  ['wav', 'audio/wav'],
  ['mp4', 'video/mp4'],
]);

/** Addresses that the vendor opens itself: its own uploads, its cloud storage, its videos. */
const OWN_ADDRESS =
  /^(?:gs:\/\/|https:\/\/generativelanguage\.googleapis\.com\/|https:\/\/(?:www\.)?youtu(?:be\.com|\.be)\/)/;
const UPLOAD = /^files\/[a-z0-9-]+$/;
const UPLOADS = 'https://generativelanguage.googleapis.com/v1beta/';

/** The same parts in the vendor's format; a part that `unsupportedPart` names is left out. */
export function partsOf(parts: readonly Part[]): readonly GeminiPart[] {
  return parts.map(partOf).filter((part) => part !== null);
}

/** The first part that can't be said there; null: all can. */
export function unsupportedPart(parts: readonly Part[]): Unsupported | null {
  return parts.map(unsupported).find((found) => found !== null) ?? null;
}

function partOf(part: Part): GeminiPart | null {
  switch (part.kind) {
    case 'text':
      return part.text === '' ? null : { text: part.text };
    case 'image':
      return pictureOf(part.url);
    case 'audio':
      return inline(`audio/${part.format}`, part.data);
    case 'file':
      return fileOf(part);
    case 'other':
      return null;
  }
}

function pictureOf(url: string): GeminiPart | null {
  const data = readDataUrl(url);
  if (data !== null) return inline(data.mediaType || 'image/png', data.base64);
  return OWN_ADDRESS.test(url) ? { fileData: { fileUri: url } } : null;
}

/** Whether it opens no such address itself. */
export function wantsInline(url: string): boolean {
  return !OWN_ADDRESS.test(url);
}

function fileOf({ data, fileId, filename }: Extract<Part, { kind: 'file' }>): GeminiPart | null {
  if (data !== null) {
    const content = readDataUrl(data) ?? { mediaType: '', base64: data };
    return inline(content.mediaType || typeByName(filename), content.base64);
  }
  if (fileId === null) return null;
  if (UPLOAD.test(fileId)) return { fileData: { fileUri: UPLOADS + fileId } };
  return OWN_ADDRESS.test(fileId) ? { fileData: { fileUri: fileId } } : null;
}

function typeByName(filename: string | null): string {
  const ending = filename?.split('.').at(-1)?.toLowerCase() ?? '';
  return TYPES_BY_ENDING.get(ending) ?? 'application/pdf';
}

function inline(mimeType: string, data: string): GeminiPart {
  return { inlineData: { mimeType, data } };
}

function unsupported(part: Part): Unsupported | null {
  switch (part.kind) {
    case 'image':
      return pictureOf(part.url) === null ? remoteImage(part.path) : null;
    case 'file':
      return fileOf(part) === null ? foreignFile(part.path) : null;
    case 'other':
      return { param: part.path, message: 'it knows text, images, audio and files, and this part is none of them.' };
    default:
      return null;
  }
}

function remoteImage(path: string): Unsupported {
  const message = 'it takes images only inside the request: send the image as a data: URL, or turn `fetch_images` on.';
  return { param: `${path}.image_url`, message };
}

function foreignFile(path: string): Unsupported {
  const message = "it takes files inside the request or by its own upload's name: send file_data as a data: URL.";
  return { param: `${path}.file`, message };
}
