/**
 * Whether a model's name fits a name or a pattern in which `*` stands for any characters, none included. Linear in
 * the name, because the name may come from a request.
 */
export function matchesModel(pattern: string, model: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces.shift() ?? '';
  const last = pieces.pop();
  if (last === undefined) return model === pattern;
  if (model.length < first.length + last.length || !model.startsWith(first) || !model.endsWith(last)) return false;
  let from = first.length;
  const end = model.length - last.length;
  for (const piece of pieces) {
    const found = model.indexOf(piece, from);
    if (found < 0 || found + piece.length > end) return false;
    from = found + piece.length;
  }
  return from <= end;
}
