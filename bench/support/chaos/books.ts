import type { QueueView } from '../../../src/setup/queue-view.ts';
import type { Ledger } from '../../../src/simulator/ledger.ts';
import type { StagedVendor } from './staged-vendor.ts';
import type { VendorSpec } from './vendor-specs.ts';

/** One limit as Sluice has it booked and as its vendor has charged it, at the same moment; what is left, in its unit. */
export interface BookedLimit {
  readonly quota: string;
  readonly limit: string;
  readonly booked: number;
  /** By the vendor's own limiter. */
  readonly real: number;
  /** From the vendor's ledger, by the rule that Sluice books by. */
  readonly recomputed: number;
  readonly capacity: number;
  /** A lasting fault has met a key of it, which is not asked any more. */
  readonly isSpoilt: boolean;
}

type VendorLimit = Ledger['limits'][number];

const WINDOW_MS = 60_000;
/** The vendor that counts only input has one number for tokens. */
const OTHER_NAMES: Readonly<Record<string, string>> = { itpm: 'tpm' };

/** Compares every limit that both know. */
export async function compareBooks(
  url: string,
  clientKey: string,
  vendors: readonly StagedVendor[],
): Promise<BookedLimit[]> {
  const answer = await fetch(`${url}/queue`, { headers: { authorization: `Bearer ${clientKey}` } });
  const ledgers = vendors.map((vendor) => ({ vendor, ledger: vendor.simulator.ledger() }));
  const { quotas } = (await answer.json()) as QueueView;
  return ledgers.flatMap(({ vendor, ledger }) =>
    ledger.limits.flatMap((limit) => {
      const known = limitsOf(quotas, limit.scope).find(
        (each) => each.limit === limit.name || each.limit === OTHER_NAMES[limit.name],
      );
      if (!known) return [];
      return [
        {
          quota: limit.scope,
          limit: limit.name,
          booked: known.level,
          real: limit.level,
          recomputed: vendor.spec.isWindowed === true ? slidingLevel(vendor.spec, ledger, limit) : limit.level,
          capacity: limit.limit,
          isSpoilt: vendor.isSpoilt(limit.scope.split('/')[0] ?? ''),
        },
      ];
    }),
  );
}

/** Those of the quota's own model, and of a family that the vendor limits together with it. */
function limitsOf(quotas: QueueView['quotas'], scope: string): QueueView['quotas'][number]['limits'] {
  const [organization, model = ''] = scope.split('/');
  const covers = (name: string): boolean => name.endsWith('*') && model.startsWith(name.slice(0, -1));
  return quotas.flatMap(({ quota, limits }) => {
    const [owner, name = ''] = quota.split(' ');
    return owner === organization && (name === model || covers(name)) ? limits : [];
  });
}

/** What a window that reaches back from now has left. */
function slidingLevel(
  { keys }: VendorSpec,
  { requests, uptimeMs }: Ledger,
  { scope, unit, limit }: VendorLimit,
): number {
  const [organization, model] = scope.split('/');
  const own = keys.filter((key) => key.organization === organization).map(({ name }) => name);
  const counted = requests.filter(
    (each) => own.includes(each.key) && each.model === model && each.admittedMs > uptimeMs - WINDOW_MS,
  );
  return limit - counted.reduce((sum, { input }) => sum + (unit === 'requests' ? 1 : input), 0);
}
