import type { Clock } from '../clock.ts';

/** When the configuration in force was read, and what is wrong with the one that was to follow it, as `/health` shows. */
export class LoadedConfig {
  readonly #clock: Clock;
  #loadedAtWallMs: number;
  #refused: { readonly atWallMs: number; readonly mistakes: number } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#loadedAtWallMs = clock.wallNow();
  }

  loaded(): void {
    this.#loadedAtWallMs = this.#clock.wallNow();
    this.#refused = null;
  }

  refused(mistakes: number): void {
    this.#refused = { atWallMs: this.#clock.wallNow(), mistakes };
  }

  /** Anybody may read it: that something is wrong, but not what. */
  health(): { readonly loaded_at: string; readonly problem: string | null } {
    const refused = this.#refused;
    const count = refused?.mistakes === 1 ? '1 mistake' : `${refused?.mistakes} mistakes`;
    const told = refused && `the configuration of ${isoTime(refused.atWallMs)} was refused for ${count}, see the log`;
    return { loaded_at: isoTime(this.#loadedAtWallMs), problem: told };
  }
}

function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
