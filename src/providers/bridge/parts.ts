import { isObject, listAt, objectAt, textAt } from '../mapping/json.ts';
import type { JsonObject, Unsupported } from '../wire.ts';

interface ChatParts {
  readonly parts: readonly JsonObject[];
  /** A block was left out. */
  readonly hasLost: boolean;
}

export function textPart(text: string): JsonObject {
  return { type: 'text', text };
}

/** Blocks of content as parts of a chat's message. Marks for the cache say nothing to other vendors. */
export function chatParts(blocks: readonly JsonObject[]): ChatParts {
  const parts = blocks.map(partsOf);
  return { parts: parts.flatMap((each) => each ?? []), hasLost: parts.includes(null) };
}

/** A block whose content only Anthropic has. */
export function refusesBlock(block: unknown, path: string): Unsupported | null {
  for (const [at, inner] of listAt(block, 'content').entries()) {
    const refusal = refusesBlock(inner, `${path}.content[${at}]`);
    if (refusal !== null) return refusal;
  }
  const isElsewhere =
    textAt(objectAt(block, 'source'), 'type') === 'file' || textAt(block, 'type') === 'container_upload';
  if (!isElsewhere) return null;
  return { param: path, message: 'it knows no files of the Files API. Send the content itself.' };
}

/** Null: a chat has no words for it. */
function partsOf(block: JsonObject): readonly JsonObject[] | null {
  const { type } = block;
  const source = objectAt(block, 'source') ?? {};
  switch (type) {
    case 'text': {
      const text = textAt(block, 'text') ?? '';
      return text === '' ? [] : [textPart(text)];
    }
    case 'image':
      return [{ type: 'image_url', image_url: { url: urlOf(source) } }];
    case 'document':
      return documentParts(block, source);
    case 'search_result':
      return [textPart(searchText(block))];
    default:
      return null;
  }
}

/** Text is told with its title before it; what else there is goes as a file. */
function documentParts(document: JsonObject, source: JsonObject): readonly JsonObject[] {
  const title = textAt(document, 'title');
  const heading = [title, textAt(document, 'context')].filter((line) => line !== null);
  const before = heading.length > 0 ? [textPart(heading.join('\n'))] : [];
  switch (textAt(source, 'type')) {
    case 'text':
      return [...before, textPart(textAt(source, 'data') ?? '')];
    case 'content': {
      const { content } = source;
      const inner = typeof content === 'string' ? [textPart(content)] : listAt(source, 'content').filter(isObject);
      return [...before, ...chatParts(inner).parts];
    }
    default:
      return [{ type: 'file', file: { filename: title ?? 'document.pdf', file_data: urlOf(source) } }];
  }
}

function searchText(result: JsonObject): string {
  const texts = listAt(result, 'content').map((block) => textAt(block, 'text') ?? '');
  const lines = [textAt(result, 'title'), textAt(result, 'source'), ...texts];
  return lines.filter((line) => line !== null && line !== '').join('\n');
}

function urlOf(source: JsonObject): string {
  const data = textAt(source, 'data');
  return data === null ? (textAt(source, 'url') ?? '') : `data:${textAt(source, 'media_type') ?? ''};base64,${data}`;
}
