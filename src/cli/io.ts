import type { Clock } from '../clock.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Where a command writes text. `process.stdout` is one; so is an array that pushes. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal in characters. */
  readonly columns?: number;
}

interface TextSource extends AsyncIterable<string | Uint8Array> {
  readonly isTTY?: boolean;
}

/** All that a command may know of the process it runs in. `main.ts` makes the real one, tests make their own. */
export interface CliIo {
  /** The arguments after the program's name. */
  readonly argv: readonly string[];
  /** The environment, before `.env` is read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative file names are meant from here. */
  readonly cwd: string;
  readonly stdin: TextSource;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Sluice's own version, such as `0.1.0`. */
  readonly version: string;
  /**
   * Calls `listener` for each SIGINT and SIGTERM, `nth` counting from 1: at the first a command ends in good order and
   * calls `exit(0)`, at the second it cuts and calls `exit(signalExitCode(signal))`. The third ends the process
   * whatever the listener does, and so does the first where nobody listens.
   */
  onSignal(listener: (signal: StopSignal, nth: number) => void): void;
  /** Calls `listener` for each SIGHUP: whoever can reads its configuration anew. Where nobody listens it means nothing. */
  onReload(listener: () => void): void;
  /** Ends the process. In tests it returns, so nothing should follow it. */
  exit(code: number): void;
}

/** What a shell expects of a program that a signal has ended: 128 and the signal's number. */
export function signalExitCode(signal: StopSignal): number {
  return signal === 'SIGINT' ? 130 : 143;
}
