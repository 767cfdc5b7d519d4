import { Circuit } from './circuit.ts';
import { FirstByte } from './first-byte.ts';
import type { Meter } from './meter.ts';
import type { Quota } from './quota.ts';
import { UsageHistory } from './usage-history.ts';

/** One credential, over all its routes. */
export interface KeyState {
  readonly name: string;
  disabled: 'credentials' | 'billing' | null;
}

/** A provider's upstream model, over all keys: its vendor may be out of capacity. */
export interface UpstreamModelState {
  readonly provider: string;
  readonly model: string;
  restsUntil: number;
  /** The key that was told so last: when a second one hears the same, all of them rest. */
  overloaded: Route | null;
}

/** Why a route can or can't be used now, for people. */
export type RouteStatus =
  | { readonly kind: 'ready' | 'half-open' | 'slow-start' }
  | { readonly kind: 'throttled' | 'exhausted' | 'open' | 'overloaded'; readonly until: number }
  | { readonly kind: 'disabled'; readonly reason: 'credentials' | 'billing' | 'model' };

export interface RouteOptions {
  readonly id: string;
  readonly key: KeyState;
  readonly upstream: UpstreamModelState;
  /** Every quota that covers it, the upstream's own for this model first: heads and refusals speak of that one. */
  readonly quotas: readonly [Quota, ...Quota[]];
  readonly random: () => number;
  /** The same route under other quotas: what it knows of its upstream stays known. */
  readonly successorTo?: Route;
}

/** A target with one key: the thing that is picked. It is available when nothing rests and nothing is disabled. */
export class Route {
  readonly id: string;
  readonly key: KeyState;
  readonly upstream: UpstreamModelState;
  readonly quotas: readonly [Quota, ...Quota[]];
  readonly circuit: Circuit;
  readonly usage: UsageHistory;
  /** Apart, since what is not streamed has its first byte when all of it is written. */
  readonly #firstBytes: { readonly streamed: FirstByte; readonly whole: FirstByte };
  /** Leases that have not ended. */
  inFlight = 0;
  isModelClosed = false;
  /** The vendor had no capacity for this key. */
  overloadedUntil = 0;
  overloadsInRow = 0;
  /** The rest of all keys that its circuit has taken note of. */
  readonly #restedWithAll: { until: number };
  #meters: readonly Meter[] = [];
  #metersVersion = -1;

  constructor(options: RouteOptions) {
    this.id = options.id;
    this.key = options.key;
    this.upstream = options.upstream;
    this.quotas = options.quotas;
    const { successorTo } = options;
    // Whoever entered the gate of the old one leaves it there: it must be the same gate.
    this.circuit = successorTo?.circuit ?? new Circuit(options.random);
    this.#restedWithAll = successorTo ? successorTo.#restedWithAll : { until: 0 };
    this.usage = successorTo?.usage ?? new UsageHistory();
    this.#firstBytes = successorTo ? successorTo.#firstBytes : { streamed: new FirstByte(), whole: new FirstByte() };
    this.overloadedUntil = successorTo?.overloadedUntil ?? 0;
    this.overloadsInRow = successorTo?.overloadsInRow ?? 0;
  }

  /** How fast it answers requests of this kind. */
  firstByteOf({ isStreamed = false }: { readonly isStreamed?: boolean }): FirstByte {
    return isStreamed ? this.#firstBytes.streamed : this.#firstBytes.whole;
  }

  /** Every limit that covers it; changes when a quota learns one or is configured anew. */
  get meters(): readonly Meter[] {
    let version = 0;
    for (const quota of this.quotas) version += quota.version;
    if (version !== this.#metersVersion) {
      this.#meters = this.quotas.flatMap((quota) => quota.meters);
      this.#metersVersion = version;
    }
    return this.#meters;
  }

  get isDisabled(): boolean {
    return this.key.disabled !== null || this.isModelClosed;
  }

  /** First instant at which it may be used, limits and gates aside; Infinity while disabled. */
  availableAt(now: number): number {
    if (this.isDisabled) return Number.POSITIVE_INFINITY;
    this.#restWithAll(now);
    let at = Math.max(this.circuit.availableAt(now), this.#overloadEndsAt);
    for (const quota of this.quotas) if (quota.restsUntil > at) at = quota.restsUntil;
    return at;
  }

  /** Out of service, as opposed to short of quota. */
  isDown(now: number): boolean {
    return this.isDisabled || Math.max(this.circuit.availableAt(now), this.#overloadEndsAt) > now;
  }

  /** Whether every gate lets one more pass. */
  get hasRoom(): boolean {
    if (!this.circuit.hasRoom) return false;
    for (const quota of this.quotas) if (!quota.gate.hasRoom) return false;
    return true;
  }

  enterGates(): void {
    this.circuit.enter();
    for (const quota of this.quotas) quota.gate.enter();
  }

  leaveGates(grantedAt: number): void {
    this.circuit.leave(grantedAt);
    for (const quota of this.quotas) quota.gate.leave();
  }

  status(now: number): RouteStatus {
    if (this.key.disabled !== null) return { kind: 'disabled', reason: this.key.disabled };
    if (this.isModelClosed) return { kind: 'disabled', reason: 'model' };
    this.#restWithAll(now);
    for (const quota of this.quotas) {
      if (quota.restsUntil > now && quota.restReason) return { kind: quota.restReason, until: quota.restsUntil };
    }
    if (this.#overloadEndsAt > now) return { kind: 'overloaded', until: this.#overloadEndsAt };
    const circuit = this.circuit.state(now);
    return circuit.kind === 'closed' ? { kind: 'ready' } : circuit;
  }

  /** A vendor without capacity comes back for all keys at once, so none of them may send all that waits. */
  #restWithAll(now: number): void {
    const { restsUntil } = this.upstream;
    if (restsUntil <= this.#restedWithAll.until) return;
    this.#restedWithAll.until = restsUntil;
    this.circuit.rest(now, restsUntil);
  }

  get #overloadEndsAt(): number {
    return Math.max(this.overloadedUntil, this.upstream.restsUntil);
  }
}
