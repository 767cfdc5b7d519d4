import { systemClock } from '../../../src/clock.ts';
import type { FaultRule } from '../../../src/simulator/faults.ts';
import type { Ledger } from '../../../src/simulator/ledger.ts';
import type { LimitUnit } from '../../../src/simulator/limits/limit-spec.ts';
import { createSimulator, type Simulator } from '../../../src/simulator/simulator.ts';
import { type ChaosEvent, isLasting } from './plan.ts';
import { simulatorOptions, type VendorSpec } from './vendor-specs.ts';

type FaultEvent = Extract<ChaosEvent, { readonly kind: 'fault' }>;

/** What a key's account has left for a model, by the vendor's own books. */
export interface Room {
  readonly key: string;
  readonly model: string;
  /** Nothing is wrong with it, on purpose. */
  readonly isSound: boolean;
  readonly limits: readonly { readonly unit: LimitUnit; readonly level: number; readonly limit: number }[];
}

/** A simulated vendor to which things happen. */
export class StagedVendor {
  readonly spec: VendorSpec;
  readonly simulator: Simulator;
  url = '';
  readonly #faults = new Set<FaultEvent>();
  /** Keys that a lasting fault has met: they are not used again until somebody acts. */
  readonly #spoilt = new Set<string>();
  #isDown = false;

  constructor(spec: VendorSpec, random: () => number) {
    this.spec = spec;
    this.simulator = createSimulator(simulatorOptions(spec), systemClock, random);
  }

  async open(): Promise<void> {
    this.url = (await this.simulator.listen()).url;
  }

  begin(event: FaultEvent): void {
    this.#faults.add(event);
    if (isLasting(event.fault)) for (const key of event.keys) this.#spoilt.add(key);
    this.#set();
  }

  end(event: FaultEvent): void {
    this.#faults.delete(event);
    this.#set();
  }

  /** Cuts what is under way and closes the port. */
  async stop(): Promise<void> {
    this.#isDown = true;
    await this.simulator.close();
  }

  /** On the same port; what its limits have used stays used. */
  async start(): Promise<void> {
    await this.simulator.listen(Number(new URL(this.url).port));
    this.#isDown = false;
  }

  /** Whether a lasting fault has met a key of an account. */
  isSpoilt(organization: string): boolean {
    return this.spec.keys.some((key) => key.organization === organization && this.#spoilt.has(key.name));
  }

  rooms(): Room[] {
    const { limits } = this.simulator.ledger();
    return this.spec.keys.flatMap(({ name, organization }) =>
      this.spec.models.map((model) => ({
        key: name,
        model,
        isSound: !this.#isDown && !this.#spoilt.has(name) && ![...this.#faults].some(({ keys }) => keys.includes(name)),
        limits: limitsOf(limits, `${organization}/${model}`),
      })),
    );
  }

  #set(): void {
    const rules = [...this.#faults].map(
      ({ fault, keys, rate, ms }): FaultRule => ({
        kind: fault,
        keys,
        rate,
        ...(fault === 'slow_head' ? { delayMs: ms } : {}),
        ...(fault === 'lying_retry_after' ? { retryAfterMs: ms } : {}),
      }),
    );
    this.simulator.setFaults(rules);
  }
}

function limitsOf(limits: Ledger['limits'], scope: string): Room['limits'] {
  return limits
    .filter((each) => each.scope === scope)
    .map(({ unit, level, limit }) => ({ unit: unit as LimitUnit, level, limit }));
}
