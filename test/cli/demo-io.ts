import { createApp } from '../../src/app.ts';
import { registerDemo } from '../../src/cli/demo.ts';
import type { CliIo, StopSignal } from '../../src/cli/io.ts';
import { run } from '../../src/cli/program.ts';
import { systemClock } from '../../src/clock.ts';
import { FakeIo } from './fake-io.ts';

interface DemoSurroundings {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the output is a terminal. */
  readonly isTTY?: boolean;
}

/** A command line with the real server and simulator behind it. */
export class DemoRun {
  readonly cwd: string;
  /** Rejects when the command does. */
  readonly done: Promise<void>;
  readonly #fake: FakeIo;
  readonly #listeners = new Set<() => void>();

  constructor(argv: readonly string[], { isTTY = false, ...surroundings }: DemoSurroundings = {}) {
    const fake = new FakeIo(argv, surroundings);
    const { env, cwd, stdin, stderr, random, version, exit } = fake;
    const write = (text: string) => {
      fake.stdout.write(text);
      for (const listener of this.#listeners) listener();
    };
    const io: CliIo = {
      ...{ argv, env, cwd, stdin, stderr, random, version, exit },
      stdout: { write, isTTY, columns: 100 },
      clock: systemClock,
      onSignal: (listener) => fake.onSignal(listener),
      onReload: (listener) => fake.onReload(listener),
    };
    this.#fake = fake;
    this.cwd = cwd;
    this.done = run(io, { createApp, commands: [(program) => registerDemo(program, io, createApp)] });
  }

  get out(): string {
    return this.#fake.out;
  }

  get err(): string {
    return this.#fake.err;
  }

  get exits(): readonly number[] {
    return this.#fake.exits;
  }

  /** Where it listens, as it says. */
  get url(): string {
    return /Listens on (\S+)/.exec(this.out)?.[1] ?? '';
  }

  /** Resolves once the output holds `text`. */
  printed(text: string): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.out.includes(text)) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
  }

  signal(signal: StopSignal): void {
    this.#fake.signal(signal);
  }

  async end(signal: StopSignal): Promise<void> {
    const ended = this.#fake.nextExit();
    this.#fake.signal(signal);
    await ended;
  }
}
