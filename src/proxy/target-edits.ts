import type { FieldEditor } from '../providers/wire.ts';
import type { JsonObject } from './request-body/fields.ts';

/** What the configuration changes in the top-level fields of every request to a target, in this order. */
export interface TargetEdits {
  readonly drop: readonly string[];
  /** Where the request does not say. */
  readonly params: readonly FieldValue[];
  /** Whatever the request says. */
  readonly force: readonly FieldValue[];
  /** Of all of them, by how they look in lower case: some upstreams take a name in any letters. */
  readonly names: ReadonlyMap<string, string>;
}

type FieldValue = readonly [name: string, value: unknown];

interface ConfiguredEdits {
  readonly params: Readonly<Record<string, unknown>>;
  readonly force: Readonly<Record<string, unknown>>;
  readonly drop: readonly string[];
}

/** Null: nothing is changed. */
export function targetEdits({ params, force, drop }: ConfiguredEdits): TargetEdits | null {
  const names = [...drop, ...Object.keys(params), ...Object.keys(force)];
  if (names.length === 0) return null;
  return {
    drop,
    params: Object.entries(params),
    force: Object.entries(force),
    names: new Map(names.map((name) => [name.toLowerCase(), name])),
  };
}

/** The names that any of these edit. */
export function editedNames(edits: readonly (TargetEdits | null)[]): ReadonlyMap<string, string> {
  return new Map(edits.flatMap((each) => [...(each?.names ?? [])]));
}

/** In the bytes that are sent. */
export function applyEdits(fields: FieldEditor, { drop, params, force }: TargetEdits): void {
  for (const name of drop) fields.drop(name);
  for (const [name, value] of params) if ((fields.valueOf(name) ?? null) === null) fields.set(name, value);
  for (const [name, value] of force) fields.set(name, value);
}

/** In the parsed form, for the facts and the size of what will be sent. */
export function editedBody(body: JsonObject, edits: TargetEdits): JsonObject {
  const fields = new Map(Object.entries(body));
  applyEdits(
    {
      valueOf: (name) => fields.get(name),
      set: (name, value) => fields.set(name, value),
      drop: (name) => fields.delete(name),
    },
    edits,
  );
  return Object.fromEntries(fields);
}
