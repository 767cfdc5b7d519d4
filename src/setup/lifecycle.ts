import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';

interface Closes {
  close(): Promise<void>;
}

interface LifecycleParts {
  readonly clock: Clock;
  readonly scheduler: Pick<Scheduler, 'drain' | 'stop'>;
  readonly transport: Closes;
  readonly images: Closes;
  readonly worker: Closes;
  readonly kept: Closes;
}

interface LifecycleServer {
  listen(at: {
    readonly host: string;
    readonly port: number;
  }): Promise<{ readonly host: string; readonly port: number }>;
  leave(): void;
  startDraining(): void;
  close(within: { readonly graceMs: number }): Promise<void>;
}

interface Lifecycle {
  listen(): Promise<{ readonly url: string }>;
  close(): Promise<void>;
  closeNow(): Promise<void>;
}

/** Begins to serve, and ends it in good order or at once, by what is in force then. */
export function lifecycle(
  { clock, scheduler, transport, images, worker, kept }: LifecycleParts,
  server: LifecycleServer,
  inForce: () => { readonly config: Config; readonly prober: { close(): void } },
): Lifecycle {
  /** Ends what waits and what is under way: each gets its last words in its own answer. */
  const cut = () => {
    scheduler.drain(0);
    void transport.close();
  };
  const end = async () => {
    inForce().prober.close();
    await transport.close();
    scheduler.stop();
    await Promise.all([images.close(), worker.close(), kept.close()]);
  };
  return {
    async listen() {
      const { host, port } = inForce().config.server;
      const at = await server.listen({ host, port });
      const name = at.host.includes(':') ? `[${at.host}]` : at.host;
      return { url: `http://${name === '0.0.0.0' || name === '[::]' ? 'localhost' : name}:${at.port}` };
    },
    async close() {
      const { drainDelayMs, shutdownGraceMs } = inForce().config.server;
      server.leave();
      await new Promise<void>((resolve) => clock.schedule(drainDelayMs, resolve));
      server.startDraining();
      scheduler.drain(shutdownGraceMs);
      const cancel = clock.schedule(shutdownGraceMs, cut);
      await server.close({ graceMs: shutdownGraceMs + LAST_WORDS_MS });
      cancel();
      await end();
    },
    async closeNow() {
      server.startDraining();
      cut();
      await server.close({ graceMs: LAST_WORDS_MS });
      await end();
    },
  };
}

/** For an in-band error to reach a client before its connection is cut. */
const LAST_WORDS_MS = 2_000;
