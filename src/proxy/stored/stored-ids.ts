import { isObject, type JsonObject, listOf } from '../request-body/fields.ts';

/** Ids that vendors give to what they keep: a kind and many letters, or a UUID. Names of endpoints and models look otherwise. */
const KEPT =
  /^(?:resp|conv|file|batch|msgbatch|ftjob|upload|vs|vsfb|asst|thread|run|video|cntr|eval|evalrun)[-_](?=.*\d)[A-Za-z0-9_-]{6,200}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Fields of a body that name what an upstream keeps. */
const REFERENCES: ReadonlySet<string> = new Set([
  'previous_response_id',
  'conversation',
  'file_id',
  'input_file_id',
  'training_file',
  'validation_file',
  'file_ids',
  'assistant_id',
  'thread_id',
  'container',
  'vector_store_ids',
]);

/** Fields of an answer that name what was made beside it. */
const RESULTS = ['output_file_id', 'error_file_id'] as const;

const LONGEST_ID = 256;
const SHORTEST_ID = 6;

/** Whether a text is an id that only an upstream can have given. */
export function looksKept(text: string): boolean {
  return KEPT.test(text) || UUID.test(text);
}

/** What a body refers to, wherever it does. */
export function referencesIn(body: unknown): readonly string[] {
  const found: string[] = [];
  // No recursion: nobody has looked how deep a body is that is passed on as it came.
  const left: unknown[] = [body];
  while (left.length > 0) {
    const value = left.pop();
    for (const [name, inner] of entriesOf(value)) {
      if (REFERENCES.has(name)) found.push(...idsOf(inner));
      if (typeof inner === 'object') left.push(inner);
    }
  }
  return found;
}

function entriesOf(value: unknown): readonly (readonly [name: string, value: unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** One id, a list of them, or what has one. */
function idsOf(value: unknown): readonly string[] {
  const items = Array.isArray(value) ? value : [value];
  return items.map((item) => (isObject(item) ? item['id'] : item)).filter((item) => typeof item === 'string');
}

/**
 * What an answer says that its upstream keeps from now on: its own id, or that of the response that it is about. A name counts
 * only where there is no id: elsewhere clients choose it, and one called `files` must not take that path from everybody.
 */
export function keptBy(answer: unknown): readonly string[] {
  if (!isObject(answer)) return [];
  const { id, name, file, response } = answer;
  const own = [
    id ?? name,
    isObject(file) ? (file['id'] ?? file['name']) : null,
    isObject(response) ? response['id'] : null,
  ];
  return (
    [...own, ...resultsIn(answer)]
      .filter((each) => typeof each === 'string')
      // One vendor's names are paths, and their ends are the client's own choice: `files/gpt-4o` is no model.
      .map((each) => each.split('/').slice(-2))
      .filter((parts) => isNoWord(parts.at(-1) ?? ''))
      .map((parts) => parts.join('/'))
  );
}

/** What the segments of a path may name: each by itself, and with the kind that stands before it. */
export function namesIn(segments: readonly string[]): readonly string[] {
  const kinds = segments.slice(0, -1);
  return [...segments, ...kinds.map((kind, nth) => `${kind}/${segments[nth + 1]}`)];
}

/** Words of paths (`v1`, `files`, `input_items`) are short or have no digit; ids are neither. */
function isNoWord(id: string): boolean {
  return id.length >= SHORTEST_ID && id.length <= LONGEST_ID && /\d/.test(id);
}

/** What a job has made, which is told only when it is looked at. */
export function resultsIn(answer: unknown): readonly string[] {
  if (!isObject(answer)) return [];
  return [...RESULTS.map((name) => answer[name]), ...listOf((answer as JsonObject)['result_files'])].filter(
    (each) => typeof each === 'string',
  );
}
