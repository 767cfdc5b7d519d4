import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seeded } from '../../../test/tokens/texts.ts';
import { Program } from '../program.ts';
import type { ChaosEvent } from './plan.ts';
import { sluiceConfig } from './sluice-config.ts';
import type { SluiceAsk, SluiceState } from './sluice-state.ts';
import { StagedVendor } from './staged-vendor.ts';
import { VENDOR_SPECS } from './vendor-specs.ts';

interface WorldParts {
  readonly vendors: readonly StagedVendor[];
  readonly url: string;
  readonly sluice: Program;
  readonly folder: string;
  /** By its version. */
  readonly configOf: (version: number) => object;
}

/** The vendors, and Sluice in a process of its own. */
export class World {
  readonly vendors: readonly StagedVendor[];
  readonly url: string;
  readonly #sluice: Program;
  readonly #folder: string;
  readonly #configOf: WorldParts['configOf'];

  private constructor(parts: WorldParts) {
    this.vendors = parts.vendors;
    this.url = parts.url;
    this.#sluice = parts.sluice;
    this.#folder = parts.folder;
    this.#configOf = parts.configOf;
  }

  static async open(seed: number): Promise<World> {
    const vendors = VENDOR_SPECS.map((spec, index) => new StagedVendor(spec, seeded(100 * seed + index)));
    for (const vendor of vendors) await vendor.open();
    const urls = new Map(vendors.map(({ spec, url }) => [spec.name, url]));
    const folder = mkdtempSync(join(tmpdir(), 'sluice-chaos-'));
    const file = join(folder, 'config.json');
    const configOf = (version: number): object =>
      sluiceConfig(VENDOR_SPECS, { urls, stateFile: join(folder, 'state.json'), version });
    writeFileSync(file, JSON.stringify(configOf(0)));
    const main = fileURLToPath(new URL('../../watched-sluice.ts', import.meta.url));
    const sluice = Program.node({ file: main }, [file], { nodeOptions: ['--expose-gc'] });
    const url = await sluice.told((message) => (message as { url?: string }).url);
    return new World({ vendors, url, sluice, folder, configOf });
  }

  /** What Sluice holds after a collection of its garbage. */
  state(): Promise<SluiceState> {
    const answer = this.#sluice.told((message) => (message as { state?: SluiceState }).state);
    this.#ask({ ask: 'state' });
    return answer;
  }

  /** When Sluice's process ends, which it should not; never while it runs. */
  ended(): Promise<string> {
    return this.#sluice.ended();
  }

  /** Returns when all of it is over. @param startedAt on the clock of `performance.now()` */
  async play(plan: readonly ChaosEvent[], startedAt: number): Promise<void> {
    const until = (atMs: number): Promise<void> => sleep(Math.max(0, startedAt + atMs - performance.now()));
    await Promise.all(
      plan.map(async (event) => {
        await until(event.atMs);
        if (event.kind === 'jump') {
          this.#ask({ ask: 'jump', offsetMs: event.offsetMs });
          return;
        }
        if (event.kind === 'reload') {
          this.#write(event.version === 'broken' ? '{ "clients": ' : JSON.stringify(this.#configOf(event.version)));
          return;
        }
        const vendor = this.#vendor(event.vendor);
        if (event.kind === 'fault') vendor.begin(event);
        else await vendor.stop();
        await until(event.untilMs);
        if (event.kind === 'fault') vendor.end(event);
        else await vendor.start();
      }),
    );
    this.#ask({ ask: 'jump', offsetMs: 0 });
  }

  async closeVendors(): Promise<void> {
    for (const { simulator } of this.vendors) await simulator.close();
  }

  async close(): Promise<void> {
    await this.#sluice.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** In one step, as editors and deployments do. */
  #write(config: string): void {
    const next = join(this.#folder, 'next.json');
    writeFileSync(next, config);
    renameSync(next, join(this.#folder, 'config.json'));
  }

  #ask(ask: SluiceAsk): void {
    this.#sluice.tell(ask);
  }

  #vendor(name: string): StagedVendor {
    const vendor = this.vendors.find(({ spec }) => spec.name === name);
    if (!vendor) throw new Error(`no vendor ${name}`);
    return vendor;
  }
}
