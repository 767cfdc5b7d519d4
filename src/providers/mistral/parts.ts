import type { Part } from '../mapping/chat-request.ts';
import { withoutNulls } from '../mapping/json.ts';
import type { JsonObject, Unsupported } from '../wire.ts';

/** Parts that only this vendor has, which a client may send as they are. */
const OWN_PARTS: ReadonlySet<string> = new Set(['document_url', 'reference', 'thinking']);

/** The content of a message: a text, or parts where there is more than one or another kind. */
export function contentOf(parts: readonly Part[]): string | readonly JsonObject[] {
  const [first, ...others] = parts;
  if (first === undefined) return '';
  return first.kind === 'text' && others.length === 0 ? first.text : parts.flatMap(chunkOf);
}

/** What can't be said in a message at all. */
export function unsupportedPart(part: Part): Unsupported | null {
  if (part.kind === 'file' && part.data === null && part.fileId === null) {
    return { param: part.path, message: 'the file is missing. Send its content as `file_data`.' };
  }
  if (part.kind !== 'other' || OWN_PARTS.has(part.type)) return null;
  return { param: part.path, message: 'it takes text, images, audio and documents only.' };
}

function chunkOf(part: Part): JsonObject[] {
  switch (part.kind) {
    case 'text':
      return [{ type: 'text', text: part.text }];
    case 'image':
      return [{ type: 'image_url', image_url: withoutNulls({ url: part.url, detail: part.detail }) }];
    case 'audio':
      return [{ type: 'input_audio', input_audio: part.data }];
    case 'file':
      return [documentOf(part)];
    case 'other':
      return part.source === undefined ? [] : [part.source];
  }
}

function documentOf({ data, fileId, filename }: Extract<Part, { kind: 'file' }>): JsonObject {
  if (data === null) return { type: 'file', file_id: fileId };
  const url = /^(?:data|https?):/i.test(data) ? data : `data:application/pdf;base64,${data}`;
  return withoutNulls({ type: 'document_url', document_url: url, document_name: filename });
}
