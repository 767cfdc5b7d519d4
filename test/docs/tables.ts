/** A table of a page of Markdown: cells by row, the ends of each trimmed. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The tables under a heading, in order, up to the next heading of any level. */
export function tablesUnder(page: string, heading: string): Table[] {
  const lines = page.split('\n');
  const begin = lines.indexOf(heading);
  if (begin < 0) throw new Error(`no heading "${heading}"`);
  const after = lines.slice(begin + 1);
  const end = after.findIndex((line) => line.startsWith('#'));
  const section = (end < 0 ? after : after.slice(0, end)).join('\n');
  return section.split(/\n{2,}/).flatMap((block) => {
    const [head = [], rule, ...rows] = block.split('\n').filter(isRow).map(cellsOf);
    return rule === undefined ? [] : [{ head, rows }];
  });
}

/** What stands in backquotes. */
export function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

/** `a-{b,c}` as `a-b` and `a-c`. */
export function spelledOut(name: string): string[] {
  const [, before = '', choices = '', after = ''] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(name) ?? [];
  return choices === '' ? [name] : choices.split(',').flatMap((choice) => spelledOut(before + choice + after));
}

function isRow(line: string): boolean {
  return line.startsWith('|');
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, line.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim());
}
