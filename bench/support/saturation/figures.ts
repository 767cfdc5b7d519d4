import type { Ledger } from '../../../src/simulator/ledger.ts';
import { quantile } from '../statistics.ts';
import type { Story } from './callers.ts';
import { KEYS, type KeyShape } from './keys.ts';
import { orderViolations } from './order.ts';
import type { Notes } from './ticket-notes.ts';

/** What was seen in one span of time, by everybody who looked. */
export interface Observation {
  readonly ledger: Ledger;
  readonly notes: Notes;
  readonly stories: readonly Story[];
}

/** Waits in ms; errors as shares of the real wait. */
export interface RunFigures {
  readonly admitted: number;
  readonly refusedUpstream: number;
  /** What was asked for, and how much later it would have been granted. */
  readonly refusals: string;
  readonly waitingShare: number;
  readonly waitP50Ms: number;
  readonly waitP99Ms: number;
  readonly errorP50: number;
  readonly errorP95: number;
  readonly errorP95Ms: number;
  readonly foretold: number;
  readonly expired: number;
  readonly outOfOrder: number;
  readonly rejections: number;
  readonly rejectionP50Ms: number;
  readonly rejectionP99Ms: number;
  /** Answers that are neither served nor refused as they should be. */
  readonly failures: number;
}

const LONG_WAIT_MS = 1_000;

export function figuresOf({ ledger, notes, stories }: Observation): RunFigures {
  const started = notes.tickets.flatMap(({ arrivedAt, foretoldAt, startedAt }) => {
    if (startedAt === null) return [];
    return [{ waitMs: startedAt - arrivedAt, errorMs: Math.abs(startedAt - foretoldAt) }];
  });
  const waits = started.map(({ waitMs }) => waitMs);
  const long = started.filter(({ waitMs }) => waitMs > LONG_WAIT_MS);
  const errors = long.map(({ waitMs, errorMs }) => errorMs / waitMs);
  const atDoor = stories.flatMap(({ statuses, afterMs }) => (statuses[0] === 429 ? [afterMs[0] as number] : []));
  const quick = atDoor.filter((ms) => ms < LONG_WAIT_MS);
  const expired = notes.tickets.filter(({ rejection }) => rejection?.hasWaited).length;
  return {
    admitted: ledger.admitted,
    refusedUpstream: ledger.rateLimited,
    refusals: ledger.refusals.map(describe).join('; ') || '-',
    waitingShare: notes.waitingShare,
    waitP50Ms: quantile(waits, 0.5),
    waitP99Ms: quantile(waits, 0.99),
    errorP50: quantile(errors, 0.5),
    errorP95: quantile(errors, 0.95),
    errorP95Ms: quantile(
      long.map(({ errorMs }) => errorMs),
      0.95,
    ),
    foretold: long.length,
    expired,
    outOfOrder: orderViolations(notes.tickets),
    rejections: atDoor.length,
    rejectionP50Ms: quantile(quick, 0.5),
    rejectionP99Ms: quantile(quick, 0.99),
    failures: stories.filter(({ statuses }) => statuses.some((status) => status !== 200 && status !== 429)).length,
  };
}

function describe({ key, limit, requested, waitMs }: Ledger['refusals'][number]): string {
  return `${key} ${limit} ${requested} ${waitMs === null ? 'never' : `${Math.ceil(waitMs)} ms`}`;
}

export interface LimitFigures {
  readonly key: KeyShape;
  readonly charged: number;
  readonly supply: number;
  readonly utilisation: number;
  /** What is left at the end: a large request may be waiting for a little more. */
  readonly left: number;
  readonly refused: number;
}

/** The binding limit of each key. */
export function limitFigures({ limits }: Ledger): LimitFigures[] {
  return KEYS.map((key) => {
    const limit = limits.find(({ scope, name }) => scope.startsWith(`org-${key.name}/`) && name === key.binding);
    if (!limit) throw new Error(`the ledger has no ${key.binding} of ${key.name}`);
    const { charged, supply, utilisation, level, refused } = limit;
    return { key, charged, supply, utilisation, left: level, refused };
  });
}

/** What came of those who were told when to come back and did. */
export interface ReturnFigures {
  readonly returned: number;
  /** Served at their first return. */
  readonly servedAtOnce: number;
  readonly servedInTheEnd: number;
}

export function returnFigures(
  stories: readonly Story[],
  { manner, cohort }: Pick<Story, 'manner' | 'cohort'>,
): ReturnFigures {
  const returned = stories.filter((each) => each.manner === manner && each.cohort === cohort && each.hasPromise);
  return {
    returned: returned.length,
    servedAtOnce: returned.filter(({ statuses }) => statuses[1] === 200).length,
    servedInTheEnd: returned.filter(({ statuses }) => statuses.includes(200)).length,
  };
}
