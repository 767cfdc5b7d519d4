import type { BodyScan } from './scan.ts';

/** A top-level member to set: its name and its new value as JSON. */
export interface MemberEdit {
  readonly name: string;
  readonly json: string;
}

/** The body with some top-level members set. Every byte outside their values stays as it was. */
export function spliceMembers(bytes: Buffer, scan: BodyScan, edits: readonly MemberEdit[]): Buffer {
  if (edits.length === 0) return bytes;
  const pieces: Buffer[] = [];
  let done = 0;
  const put = (start: number, end: number, text: string) => {
    pieces.push(bytes.subarray(done, start), Buffer.from(text));
    done = end;
  };
  const added = edits.filter((edit) => !scan.members.has(edit.name)).map(toMember);
  // What is put in comes first, so its offset is the smallest.
  if (added.length > 0) put(scan.insertAt, scan.insertAt, added.join(',') + (scan.isEmpty ? '' : ','));
  for (const { span, json } of replaced(scan, edits)) put(span.start, span.end, json);
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

function toMember(edit: MemberEdit): string {
  return `${JSON.stringify(edit.name)}:${edit.json}`;
}

function replaced(scan: BodyScan, edits: readonly MemberEdit[]) {
  return edits
    .flatMap(({ name, json }) => {
      const span = scan.members.get(name);
      return span ? [{ span, json }] : [];
    })
    .sort((one, other) => one.span.start - other.span.start);
}
