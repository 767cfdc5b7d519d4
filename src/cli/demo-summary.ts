import type { Ledger } from '../simulator/ledger.ts';
import type { Board } from './demo-board.ts';
import { seconds, table } from './demo-table.ts';
import { keyRows } from './demo-view.ts';

/** What came of a burst, for people. `ledger` is what the vendor itself saw. */
export function summary(board: Board, ledger: Ledger, now: number): string {
  const { served, failed } = board.standing();
  const count = board.requests.length;
  return [
    `${served.length} of ${count} requests were served within ${seconds(now - board.startedAt)}.`,
    '',
    ...keyRows(served),
    '',
    ...facts([
      ['waited in the queue', waitsText(served.map(({ queuedMs }) => queuedMs))],
      ...refusals(board),
      [
        "the vendor's 429s",
        `${ledger.rateLimited} (its own books: ${ledger.received} came, ${ledger.admitted} were let in)`,
      ],
      ...failed.map(({ number, reason }): [string, string] => [`#${number} failed`, reason]),
    ]),
    '',
  ].join('\n');
}

/** Everybody was served in the end, and the vendor had nothing to refuse. */
export function isAsPromised(board: Board, ledger: Ledger): boolean {
  return board.standing().served.length === board.requests.length && ledger.rateLimited === 0;
}

function facts(rows: readonly (readonly [string, string])[]): string[] {
  return table(['', ''], rows).slice(1);
}

function waitsText(waits: readonly number[]): string {
  const sorted = waits.toSorted((a, b) => a - b);
  const median = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
  return `median ${seconds(median)}, longest ${seconds(sorted.at(-1) ?? 0)}`;
}

function refusals(board: Board): [string, string][] {
  const refused = board.requests.filter(({ refusals: all }) => all.length > 0);
  if (refused.length === 0) return [['refused', 'nobody']];
  const first = refused.flatMap(({ refusals: all }) => all.slice(0, 1));
  const hints = first.map(({ retryAfterMs }) => retryAfterMs);
  const slowest = seconds(Math.max(...first.map(({ afterMs }) => afterMs)));
  const kept = refused.filter(({ state, refusals: all }) => state.kind === 'served' && all.length === 1);
  const range = `${seconds(Math.min(...hints))} to ${seconds(Math.max(...hints))}`;
  return [
    ['refused at once', `${refused.length} of ${board.requests.length}, the slowest after ${slowest}`],
    ['their retry-after', `${range}; ${kept.length} of ${refused.length} came back then and were served`],
  ];
}
