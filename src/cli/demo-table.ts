/**
 * Rows under a head, each line indented by two spaces, columns two spaces apart. A column whose head begins with `>` is
 * aligned to the right.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const titles = head.map((title) => title.replace(/^>/, ''));
  const widths = titles.map((title, column) => {
    return Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0));
  });
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return head[column]?.startsWith('>') ? cell.padStart(width) : cell.padEnd(width);
    });
    return `  ${padded.join('  ')}`.trimEnd();
  };
  return [titles, ...rows].map(line);
}

/** `3.2 s` */
export function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}
