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
  'vector_store_ids',
]);

/** Fields of an answer that name what was made beside it. */
const RESULTS = ['output_file_id', 'error_file_id'] as const;

const LONGEST_ID = 256;

/** Whether a text is an id that only an upstream can have given. */
export function looksKept(text: string): boolean {
  return KEPT.test(text) || UUID.test(text);
}

/** What a body refers to, wherever it does. */
export function referencesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => (REFERENCES.has(name) ? idsOf(inner) : referencesIn(inner)));
}

function idsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(idsOf);
  return isObject(value) ? idsOf(value['id']) : [];
}

/** What an answer says that its upstream keeps from now on: its own id, or that of the response that it is about. */
export function keptBy(answer: unknown): readonly string[] {
  if (!isObject(answer)) return [];
  const { id, name, file, response } = answer;
  const own = [id, name, isObject(file) ? file['name'] : null, isObject(response) ? response['id'] : null];
  return (
    [...own, ...resultsIn(answer)]
      .filter((each) => typeof each === 'string')
      // One vendor's names are paths: `files/abc`.
      .map((each) => each.split('/').at(-1) ?? '')
      .filter((each) => each !== '' && each.length <= LONGEST_ID)
  );
}

/** What a job has made, which is told only when it is looked at. */
export function resultsIn(answer: unknown): readonly string[] {
  if (!isObject(answer)) return [];
  return [...RESULTS.map((name) => answer[name]), ...listOf((answer as JsonObject)['result_files'])].filter(
    (each) => typeof each === 'string',
  );
}
