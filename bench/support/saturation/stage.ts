import { fileURLToPath } from 'node:url';
import type { Ledger } from '../../../src/simulator/ledger.ts';
import { Program } from '../program.ts';
import { sluiceConfig, vendorOptions } from './keys.ts';
import type { Notes } from './ticket-notes.ts';

/** Vendor and Sluice, each in its own process, talking over sockets of this machine. */
export class Stage {
  readonly vendorUrl: string;
  readonly sluiceUrl: string;
  readonly #vendor: Program;
  readonly #sluice: Program;

  private constructor(programs: { vendor: Program; vendorUrl: string; sluice: Program; sluiceUrl: string }) {
    this.#vendor = programs.vendor;
    this.#sluice = programs.sluice;
    this.vendorUrl = programs.vendorUrl;
    this.sluiceUrl = programs.sluiceUrl;
  }

  static async open(settings: { readonly clockOffsetMs: number; readonly maxWait: string }): Promise<Stage> {
    const vendor = start('../../saturation-vendor.ts', vendorOptions(settings.clockOffsetMs));
    const vendorUrl = await urlOf(vendor);
    const sluice = start('../../saturation-sluice.ts', sluiceConfig(vendorUrl, settings.maxWait));
    return new Stage({ vendor, vendorUrl, sluice, sluiceUrl: await urlOf(sluice) });
  }

  /** The vendor's figures count from here; what its limits have used stays used. */
  async resetLedger(): Promise<void> {
    const body = JSON.stringify({ keepLevels: true });
    await fetch(`${this.vendorUrl}/_sim/reset`, { method: 'POST', body });
  }

  async ledger(): Promise<Ledger> {
    return (await (await fetch(`${this.vendorUrl}/_sim/ledger`)).json()) as Ledger;
  }

  /** What the scheduler did since the last look. */
  async notes(): Promise<Notes> {
    return (await this.#report()).notes;
  }

  async openLeases(): Promise<number> {
    return (await this.#report()).openLeases;
  }

  async close(): Promise<void> {
    await Promise.all([this.#sluice.stop(), this.#vendor.stop()]);
  }

  #report(): Promise<Report> {
    const answer = this.#sluice.told((message) => ('notes' in (message as object) ? (message as Report) : undefined));
    this.#sluice.tell('notes');
    return answer;
  }
}

interface Report {
  readonly notes: Notes;
  readonly openLeases: number;
}

function start(file: string, options: object): Program {
  return Program.node({ file: fileURLToPath(new URL(file, import.meta.url)) }, [JSON.stringify(options)]);
}

function urlOf(program: Program): Promise<string> {
  return program.told((message) => (message as { url?: string }).url);
}
