import type { FieldEditor } from '../../providers/wire.ts';
import type { BodyScan } from './scan.ts';
import { spliceMembers } from './splice.ts';

/** The top-level fields of a body as they will be sent. Only names that were scanned for may be asked and changed. */
export class BodyDraft implements FieldEditor {
  readonly #bytes: Buffer;
  readonly #scan: BodyScan;
  /** JSON; null: taken out. */
  readonly #edits = new Map<string, string | null>();

  constructor(bytes: Buffer, scan: BodyScan) {
    this.#bytes = bytes;
    this.#scan = scan;
  }

  valueOf(name: string): unknown {
    const json = this.#jsonOf(name);
    return json === null ? undefined : JSON.parse(json);
  }

  set(name: string, value: unknown): void {
    this.#edits.set(name, JSON.stringify(value));
  }

  drop(name: string): void {
    this.#edits.set(name, null);
  }

  /** May be the bytes as they came. */
  toBytes(): Buffer {
    return spliceMembers(this.#bytes, this.#scan, this.#edits);
  }

  /** Read from the bytes again, so that nothing parsed has to be kept while a request waits. */
  #jsonOf(name: string): string | null {
    const edited = this.#edits.get(name);
    if (edited !== undefined) return edited;
    const span = this.#scan.members.get(name);
    return span ? this.#bytes.toString('utf8', span.start, span.end) : null;
  }
}
