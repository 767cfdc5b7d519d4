import { constructFromEvents, parseEvents, YAMLException } from 'js-yaml';
import type { Finding, Path } from './mistakes.ts';
import { type Place, PlaceIndex } from './place-index.ts';

export type Format = 'yaml' | 'json';

export type ParsedText =
  | {
      readonly ok: true;
      /** Plain objects, lists, strings, numbers, booleans and null. */
      readonly tree: unknown;
      /** Keys that stand twice in one mapping. */
      readonly duplicates: readonly Finding[];
      placeOf(path: Path, isAboutKey: boolean): Place;
    }
  | { readonly ok: false; readonly message: string; readonly place: Place };

/** Reads the text of a configuration file. Whatever is wrong with it is told without quoting it: it holds keys. */
export function parseText(text: string, format: Format): ParsedText {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  return format === 'json' ? parseJson(source) : parseYaml(source);
}

function parseYaml(source: string): ParsedText {
  try {
    const events = parseEvents(source, {});
    const places = new PlaceIndex(source, events);
    // `json` lets a duplicate key pass, because the index reports every one of them and not only the first.
    const documents = constructFromEvents(events, { source, json: true, maxAliases: 1000 });
    if (documents.length > 1) {
      return {
        ok: false,
        message: 'has several YAML documents: keep one, without "---"',
        place: { line: 1, column: 1 },
      };
    }
    return { ok: true, tree: documents[0] ?? null, ...places.asAnswer() };
  } catch (error) {
    return syntaxError(error, source);
  }
}

function syntaxError(error: unknown, source: string): ParsedText {
  const mark = error instanceof YAMLException ? error.mark : undefined;
  const place = mark ? { line: mark.line + 1, column: mark.column + 1 } : { line: 1, column: 1 };
  const reason = error instanceof YAMLException ? withoutQuotes(error.reason) : 'cannot be read';
  const line = source.split('\n')[place.line - 1] ?? '';
  const isUnquotedVariable = line.slice(0, place.column).includes(`\${`) && /[[{]/.test(line);
  const advice = isUnquotedVariable ? `: quote it, as in "\${NAME}", inside [ ] and { }` : '';
  return { ok: false, message: `is not valid YAML: ${reason}${advice}`, place };
}

/** The parser names aliases and tags in its reasons, and a key pasted after `*` or `!` is one. */
function withoutQuotes(reason: string): string {
  return reason
    .replace(/"[^"]*"/g, '')
    .replace(/(!<|: ).*$/, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function parseJson(source: string): ParsedText {
  if (source.trim() === '') return { ok: true, tree: null, duplicates: [], placeOf: () => ({ line: 1, column: 1 }) };
  try {
    const tree: unknown = JSON.parse(source);
    return { ok: true, tree, ...placesOfJson(source) };
  } catch (error) {
    const said = /position (\d+)/.exec(String(error))?.[1];
    const offset = said === undefined ? offsetOfJsonError(source) : Number(said);
    return { ok: false, message: 'is not valid JSON', place: lineAndColumn(source, offset) };
  }
}

/** Every JSON text is YAML but for rare white space; where it is not, places are lost and nothing else. */
function placesOfJson(source: string): ReturnType<PlaceIndex['asAnswer']> {
  try {
    return new PlaceIndex(source, parseEvents(source, { maxDepth: 1000 })).asAnswer();
  } catch {
    return { duplicates: [], placeOf: () => ({ line: 1, column: 1 }) };
  }
}

/**
 * JSON.parse does not always say where. A text cut before the error is merely unfinished, one cut behind it is wrong, so
 * the error lies where the one turns into the other.
 */
function offsetOfJsonError(source: string): number {
  let unfinished = 0;
  let wrong = source.length;
  while (wrong - unfinished > 1) {
    const middle = (unfinished + wrong) >> 1;
    if (isUnfinishedJson(source.slice(0, middle))) unfinished = middle;
    else wrong = middle;
  }
  return unfinished;
}

function isUnfinishedJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const place = /position (\d+)/.exec(String(error))?.[1];
    return place === undefined ? /Unexpected end/.test(String(error)) : Number(place) >= text.length;
  }
}

function lineAndColumn(source: string, offset: number): Place {
  const before = source.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
