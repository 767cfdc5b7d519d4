export interface InlineData {
  /** Lower case, without parameters; empty when the URL names none. */
  readonly mediaType: string;
  readonly base64: string;
}

/** The content of a `data:` URL (RFC 2397); null when the text is none. */
export function readDataUrl(url: string): InlineData | null {
  if (!/^data:/i.test(url)) return null;
  const comma = url.indexOf(',');
  if (comma < 0) return null;
  const [mediaType = '', ...parameters] = url.slice('data:'.length, comma).toLowerCase().split(';');
  const content = url.slice(comma + 1);
  const isBase64 = parameters.some((parameter) => parameter.trim() === 'base64');
  return { mediaType: mediaType.trim(), base64: isBase64 ? content : encoded(content) };
}

function encoded(content: string): string {
  try {
    return Buffer.from(decodeURIComponent(content)).toString('base64');
  } catch {
    // A stray percent sign stands for itself.
    return Buffer.from(content).toString('base64');
  }
}
