import type { Cancel, Clock } from '../clock.ts';
import type { ProviderConfig } from '../config/config.ts';
import type { ProbeCall } from '../providers/provider.ts';
import { applyProbe, bookProbe, type ProbeVerdict } from '../scheduler/apply-probe.ts';
import type { SchedulerListener } from '../scheduler/events.ts';
import type { Route } from '../scheduler/route.ts';
import { type Asked, ask } from '../upstream/ask.ts';
import type { Transport, UpstreamRequest } from '../upstream/transport.ts';
import { adapterOf, serversOf } from './adapters.ts';
import type { Books } from './books.ts';

export interface ProberParts {
  readonly providers: readonly ProviderConfig[];
  readonly books: Pick<Books, 'routes' | 'originOf'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly transport: Pick<Transport, 'send'>;
  readonly userAgent: string;
  readonly emit: SchedulerListener;
  /** A route is in another state than before. */
  readonly onChange: () => void;
}

/** One server with one key, and the routes that lead there. */
interface Access {
  readonly id: string;
  readonly routes: readonly [Route, ...Route[]];
}

interface Probed {
  readonly provider: ProviderConfig;
  readonly call: ProbeCall;
  readonly intervalMs: number;
}

/**
 * Asks servers that are out of service, or that nobody uses, whether they are there: by a call that costs no tokens, one at
 * a time for each provider, at intervals that are never quite the same.
 *
 *     waiting ──interval──▶ asking each access that is due, one after the other ──▶ waiting        close() ──▶ closed
 */
export class Prober {
  readonly #parts: ProberParts;
  readonly #timers = new Map<ProviderConfig, Cancel>();
  readonly #asked = new Set<Asked>();
  /** Times in a row that nothing answered, by access. */
  readonly #silences = new Map<string, number>();
  /** When a key that its vendor had refused was let try again, by access: a second refusal is believed. */
  readonly #reopened = new Map<string, number>();
  #isClosed = false;

  /** Begins at once; a configuration without `probe` makes one that does nothing. */
  constructor(parts: ProberParts) {
    this.#parts = parts;
    for (const provider of parts.providers) {
      const { probe: call } = adapterOf(provider);
      const intervalMs = provider.probeIntervalMs;
      if (intervalMs !== null && call !== null) this.#wait({ provider, call, intervalMs });
    }
  }

  /** Ends what is under way, and begins nothing more. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#timers.values()) cancel();
    for (const asked of this.#asked) asked.abort();
  }

  #wait(probed: Probed): void {
    const { clock, random } = this.#parts;
    const delayMs = probed.intervalMs * (1 - JITTER + 2 * JITTER * random());
    this.#timers.set(
      probed.provider,
      clock.schedule(delayMs, () => void this.#round(probed)),
    );
  }

  async #round(probed: Probed): Promise<void> {
    for (const access of this.#accesses(probed.provider)) {
      if (!this.#isDue(access, probed)) continue;
      await this.#probe(access, probed);
      if (this.#isClosed) return;
    }
    this.#wait(probed);
  }

  #accesses({ name }: ProviderConfig): Access[] {
    const { books } = this.#parts;
    const found = new Map<string, [Route, ...Route[]]>();
    for (const route of books.routes()) {
      const { provider, serverIndex } = books.originOf(route);
      if (provider.name !== name) continue;
      const id = `${name} ${serverIndex} ${route.key.name}`;
      const known = found.get(id);
      if (known) known.push(route);
      else found.set(id, [route]);
    }
    return [...found].map(([id, routes]) => ({ id, routes }));
  }

  #isDue({ id, routes }: Access, { intervalMs, call }: Probed): boolean {
    const now = this.#parts.clock.now();
    const [first] = routes;
    const { disabled } = first.key;
    if (disabled !== null) return disabled === 'credentials' && !this.#reopened.has(id);
    if (
      routes.some(({ circuit }) => circuit.failuresInRow === 0 && circuit.heardAt > (this.#reopened.get(id) ?? now))
    ) {
      this.#reopened.delete(id);
    }
    const isOpen = routes.some(({ circuit }) => circuit.state(now).kind === 'open');
    const isIdle = routes.every(({ inFlight, circuit }) => inFlight === 0 && circuit.heardAt <= now - intervalMs);
    return (isOpen || isIdle) && (!call.isCounted || bookProbe(first, now));
  }

  async #probe(access: Access, { call, intervalMs }: Probed): Promise<void> {
    const asked = ask(this.#parts.transport, this.#request(access.routes[0], call));
    this.#asked.add(asked);
    const status = await asked.status;
    this.#asked.delete(asked);
    const verdict = verdictOf(status);
    if (!this.#isClosed && verdict !== null) this.#apply(access, verdict, intervalMs);
  }

  #apply({ id, routes }: Access, verdict: ProbeVerdict, intervalMs: number): void {
    const { clock, emit, onChange } = this.#parts;
    const now = clock.now();
    const silences = verdict === 'silent' ? (this.#silences.get(id) ?? 0) + 1 : 0;
    this.#silences.set(id, silences);
    const wasRefused = routes[0].key.disabled === 'credentials';
    if (wasRefused && verdict === 'alive') this.#reopened.set(id, now);
    const hasChanged = applyProbe(routes, verdict, {
      now,
      emit,
      restMs: intervalMs * (1 + JITTER) + TIMEOUT_MS,
      isCertain: silences > 1,
      mayReopenKey: wasRefused,
    });
    if (hasChanged) onChange();
  }

  #request(route: Route, call: ProbeCall): UpstreamRequest {
    const { provider, key, serverIndex } = this.#parts.books.originOf(route);
    const { credentials } = adapterOf(provider);
    const { origin, pathname } = new URL(serversOf(provider)[serverIndex] as string);
    const apiKey = key?.key.reveal() ?? null;
    const bearer: Record<string, string> = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
    const { connectMs } = provider.timeouts;
    return {
      method: 'GET',
      origin,
      path: call.path(pathname.replace(/\/+$/, ''), provider.apiVersion),
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'user-agent': this.#parts.userAgent,
        ...(credentials ? credentials(apiKey, provider.apiVersion) : bearer),
        ...Object.fromEntries([...provider.headers].map(([name, value]) => [name.toLowerCase(), value.reveal()])),
      },
      body: null,
      timeouts: { connectMs, firstByteMs: TIMEOUT_MS, idleMs: TIMEOUT_MS, totalMs: TIMEOUT_MS },
    };
  }
}

/** Null: the server is there and does not say more, for a key may have no right to the call, or a server no such call. */
function verdictOf(status: number | null): ProbeVerdict | null {
  if (status === null) return 'silent';
  if (status >= 200 && status < 300) return 'alive';
  return status >= 500 ? 'failing' : null;
}

/** As a share of the interval, up and down: what failed together is not asked together. */
const JITTER = 0.1;
const TIMEOUT_MS = 10_000;
