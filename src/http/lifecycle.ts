/**
 * What the server tells the world about itself.
 *
 * starting -> serving -> leaving -> draining. leaving: still serves, but `/ready` says no, so that whoever balances load
 * looks elsewhere. draining: serves what it has, refuses what is new, and asks every connection to close.
 */
export class Lifecycle {
  #phase: 'starting' | 'serving' | 'leaving' | 'draining' = 'starting';

  get isReady(): boolean {
    return this.#phase === 'serving';
  }

  get isDraining(): boolean {
    return this.#phase === 'draining';
  }

  get phase(): string {
    return this.#phase;
  }

  serve(): void {
    if (this.#phase === 'starting') this.#phase = 'serving';
  }

  leave(): void {
    if (this.#phase !== 'draining') this.#phase = 'leaving';
  }

  drain(): void {
    this.#phase = 'draining';
  }

  /** For the head of every answer. */
  lateHeaders(): Readonly<Record<string, string>> {
    return this.isDraining ? { connection: 'close' } : {};
  }
}
