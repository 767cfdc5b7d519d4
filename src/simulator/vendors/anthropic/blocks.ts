import { asObjects, asText, type Json } from '../../json.ts';

/** The texts of a content, whether it is one string or blocks. */
export function textsOf(content: unknown): string[] {
  if (typeof content === 'string') return [content];
  return asObjects(content).flatMap(({ type, text }) => (type === 'text' ? [asText(text)] : []));
}

export function systemMessages(system: unknown): Json[] {
  const text = textsOf(system).join('\n');
  return text === '' ? [] : [{ role: 'system', content: text }];
}

/** A message in the words that prompts are counted in: results of tools are messages of their own. */
export function messageOf({ role, content }: Json): Json[] {
  if (typeof content === 'string') return [{ role, content }];
  const blocks = asObjects(content);
  const results = blocks.filter(({ type }) => type === 'tool_result');
  const calls = blocks.filter(({ type }) => type === 'tool_use');
  const parts = blocks.flatMap(partOf);
  return [
    ...results.map((result) => ({ role: 'tool', content: textsOf(result['content']).join('\n') })),
    ...(parts.length > 0 || calls.length > 0 || results.length === 0
      ? [{ role, content: parts, ...(calls.length > 0 ? { tool_calls: calls } : {}) }]
      : []),
  ];
}

function partOf({ type, text }: Json): Json[] {
  if (type === 'text') return [{ type, text }];
  // A page of a document costs about as much as a picture.
  return type === 'image' || type === 'document' ? [{ type: 'image_url' }] : [];
}
