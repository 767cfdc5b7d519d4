import type { BodyScan, MemberSpan } from './scan.ts';

/** What becomes of a top-level member: its new value as JSON; null: it is taken out. */
export type MemberEdits = ReadonlyMap<string, string | null>;

/** Bytes to leave out, and the text in their place. */
interface Patch {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The body with some top-level members set or taken out; those must have been scanned for. Every byte of the others stays
 * as it was.
 */
export function spliceMembers(bytes: Buffer, scan: BodyScan, edits: MemberEdits): Buffer {
  const patches = [...insertions(scan, edits), ...changes(scan, edits)];
  if (patches.length === 0) return bytes;
  const pieces: Buffer[] = [];
  let done = 0;
  for (const { start, end, text } of patches) {
    pieces.push(bytes.subarray(done, start), Buffer.from(text));
    done = end;
  }
  pieces.push(bytes.subarray(done));
  return Buffer.concat(pieces);
}

/** A copy of the body as text, without the middles of long `data:` strings: all of it that anybody needs to parse. */
export function textForParsing(bytes: Buffer, scan: BodyScan): string {
  if (scan.cuts.length === 0) return bytes.toString('utf8');
  let text = '';
  let done = 0;
  for (const cut of scan.cuts) {
    text += bytes.toString('utf8', done, cut.start);
    done = cut.end;
  }
  return text + bytes.toString('utf8', done);
}

/** New members come first, so their offset is the smallest. */
function insertions({ members, memberCount, insertAt }: BodyScan, edits: MemberEdits): readonly Patch[] {
  const added = [...edits].filter(([name, json]) => json !== null && !members.has(name));
  if (added.length === 0) return [];
  const removed = [...edits].filter(([name, json]) => json === null && members.has(name));
  const text = added.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',');
  return [{ start: insertAt, end: insertAt, text: removed.length === memberCount ? text : `${text},` }];
}

/** In the order of the bytes. */
function changes(scan: BodyScan, edits: MemberEdits): readonly Patch[] {
  const touched = [...edits]
    .flatMap(([name, json]) => {
      const span = scan.members.get(name);
      return span ? [{ span, json }] : [];
    })
    .sort((one, other) => one.span.start - other.span.start);
  let removed = 0;
  return touched.map(({ span, json }) => {
    if (json !== null) return { start: span.start, end: span.end, text: json };
    const isFirst = span.index === removed;
    removed += 1;
    return { ...removal(span, isFirst), text: '' };
  });
}

/** A member leaves with the comma before it; where nothing before it stays, with the one behind it. */
function removal({ from, nameStart, end, next }: MemberSpan, isFirst: boolean): Pick<Patch, 'start' | 'end'> {
  return isFirst ? { start: nameStart, end: next } : { start: from, end };
}
