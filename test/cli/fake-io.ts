import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CliIo, StopSignal } from '../../src/cli/io.ts';
import { FakeClock } from '../support/fake-clock.ts';

interface Surroundings {
  /** Files of the working directory by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: readonly (string | Uint8Array)[];
  readonly isTTY?: boolean;
}

/** A process that exists only in this test: it writes down what a command prints and how it ends. */
export class FakeIo implements CliIo {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: CliIo['stdin'];
  readonly clock = new FakeClock();
  readonly random = () => 0.5;
  readonly version = '1.2.3';
  readonly exits: number[] = [];
  out = '';
  err = '';
  readonly #listeners: ((signal: StopSignal, nth: number) => void)[] = [];
  #signals = 0;
  #onExit: (() => void) | null = null;

  constructor(argv: readonly string[], { files = {}, env = {}, input = [], isTTY = false }: Surroundings = {}) {
    this.argv = argv;
    this.env = env;
    this.cwd = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    this.stdin = Object.assign(chunks(input), { isTTY });
    onTestFinished(() => rmSync(this.cwd, { recursive: true, force: true }));
  }

  readonly stdout = {
    write: (text: string) => {
      this.out += text;
    },
  };

  readonly stderr = {
    write: (text: string) => {
      this.err += text;
    },
  };

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.cwd, name)), { recursive: true });
    writeFileSync(join(this.cwd, name), text);
  }

  onSignal(listener: (signal: StopSignal, nth: number) => void): void {
    this.#listeners.push(listener);
  }

  readonly #reloaders: (() => void)[] = [];

  onReload(listener: () => void): void {
    this.#reloaders.push(listener);
  }

  /** SIGHUP. */
  hangUp(): void {
    for (const listener of this.#reloaders) listener();
  }

  signal(signal: StopSignal): void {
    this.#signals++;
    for (const listener of this.#listeners) listener(signal, this.#signals);
  }

  readonly exit = (code: number): void => {
    this.exits.push(code);
    this.#onExit?.();
  };

  /** Resolves when `exit` is called next. */
  nextExit(): Promise<void> {
    return new Promise((resolve) => {
      this.#onExit = resolve;
    });
  }
}

async function* chunks(parts: readonly (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* parts;
}
