import { fileURLToPath } from 'node:url';
import type { ClientsJob, LoadReport, PacedJob, StreamsJob, Target } from './load-job.ts';
import { Program } from './program.ts';

/** The load generator in its own process. */
export class Generator {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  static async start(): Promise<Generator> {
    const program = Program.node({ file: fileURLToPath(new URL('../load.ts', import.meta.url)) }, []);
    await program.told((message) => (message as { port?: number }).port);
    return new Generator(program);
  }

  paced(target: Target, job: PacedJob): Promise<LoadReport> {
    return this.#ask({ do: 'paced', ...target, ...job });
  }

  clients(target: Target, job: ClientsJob): Promise<LoadReport> {
    return this.#ask({ do: 'clients', ...target, ...job });
  }

  /** Returns when every stream has brought its first event; they go on until `cut`. */
  async open(target: Target, job: StreamsJob): Promise<void> {
    await this.#ask({ do: 'open', ...target, ...job });
  }

  /** Events of all streams so far, and streams that have ended. */
  count(): Promise<{ readonly events: number; readonly failed: number }> {
    return this.#ask({ do: 'count' });
  }

  async cut(): Promise<void> {
    await this.#ask({ do: 'cut' });
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }

  #ask<T>(command: object): Promise<T> {
    const answer = this.#program.told((message) => (message as { result?: T }).result);
    this.#program.tell(command);
    return answer;
  }
}
