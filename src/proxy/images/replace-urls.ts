const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const WHITESPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Members that hold the address of an image. */
const HOLDERS = new Set(['"url"', '"image_url"']);

/** The same JSON with other texts in place of some addresses; every other byte stays as it was. `bytes` must be valid JSON. */
export function replaceUrls(bytes: Buffer, replacements: ReadonlyMap<string, string>): Buffer {
  const pieces: Buffer[] = [];
  let done = 0;
  let name = '';
  for (let start = bytes.indexOf(QUOTE); start !== -1; ) {
    const end = endOfString(bytes, start);
    const isName = nextAfter(bytes, end) === COLON;
    if (isName) name = bytes.toString('utf8', start, end);
    else {
      const replacement = HOLDERS.has(name) ? replacements.get(textOf(bytes, start, end)) : undefined;
      if (replacement !== undefined) {
        pieces.push(bytes.subarray(done, start), Buffer.from(JSON.stringify(replacement)));
        done = end;
      }
      name = '';
    }
    start = bytes.indexOf(QUOTE, end);
  }
  pieces.push(bytes.subarray(done));
  return Buffer.concat(pieces);
}

/** Behind the quote that closes the string. */
function endOfString(bytes: Buffer, start: number): number {
  for (let end = bytes.indexOf(QUOTE, start + 1); ; end = bytes.indexOf(QUOTE, end + 1)) {
    let escapes = 0;
    while (bytes[end - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
}

function nextAfter(bytes: Buffer, end: number): number | undefined {
  let at = end;
  while (WHITESPACE.has(bytes[at] ?? COLON)) at += 1;
  return bytes[at];
}

/** Addresses are short; what is longer is a picture already. */
function textOf(bytes: Buffer, start: number, end: number): string {
  return end - start > LONGEST ? '' : (JSON.parse(bytes.toString('utf8', start, end)) as string);
}

const LONGEST = 65_536;
