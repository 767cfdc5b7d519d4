import type { Part } from '../mapping/chat-request.ts';
import { type InlineData, readDataUrl } from '../mapping/data-url.ts';
import { objectAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

/** A block of content in the Messages API. */
export type Block = JsonObject;

/** Parts of a message as blocks. Text without any visible character is refused there, so it is left out. */
export function blocksOf(parts: readonly Part[]): Block[] {
  return parts.flatMap((part) => blockOf(part).map((block) => ({ ...block, ...cacheMark(part) })));
}

/** The mark up to which a prompt is cached, where a client has put one on a part or tool. */
export function cacheMark({ source }: { readonly source?: JsonObject }): JsonObject {
  const mark = objectAt(source, 'cache_control');
  return mark === null ? {} : { cache_control: mark };
}

export function textBlock(text: string): Block {
  return { type: 'text', text };
}

function blockOf(part: Part): Block[] {
  switch (part.kind) {
    case 'text':
      return part.text.trim() === '' ? [] : [textBlock(part.text)];
    case 'image':
      return [{ type: 'image', source: imageSource(part.url) }];
    case 'file':
      return part.data === null ? [] : [documentBlock(part.data, part.filename)];
    case 'audio':
    case 'other':
      // Refused before it comes here.
      return [];
  }
}

function imageSource(url: string): Block {
  const inline = readDataUrl(url);
  if (inline === null) return { type: 'url', url };
  const mediaType = inline.mediaType === 'image/jpg' ? 'image/jpeg' : inline.mediaType;
  return { type: 'base64', media_type: mediaType, data: inline.base64 };
}

/** `data` is a `data:` URL, a web address, or bare base64. */
function documentBlock(data: string, filename: string | null): Block {
  const title = filename === null ? {} : { title: filename };
  if (/^https?:/i.test(data)) return { type: 'document', source: { type: 'url', url: data }, ...title };
  const inline = readDataUrl(data) ?? { mediaType: 'application/pdf', base64: data };
  return { type: 'document', source: documentSource(inline), ...title };
}

function documentSource({ mediaType, base64 }: InlineData): Block {
  if (!mediaType.startsWith('text/')) {
    return { type: 'base64', media_type: mediaType || 'application/pdf', data: base64 };
  }
  return { type: 'text', media_type: 'text/plain', data: Buffer.from(base64, 'base64').toString() };
}
