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
      ['refused at once', refusalsText(board)],
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

function refusalsText(board: Board): string {
  const refused = board.requests.filter(({ refusals }) => refusals.length > 0);
  if (refused.length === 0) return 'nobody';
  const first = refused.flatMap(({ refusals }) => refusals.slice(0, 1));
  const hints = first.map(({ retryAfterMs }) => retryAfterMs);
  const slowest = Math.ceil(Math.max(...first.map(({ afterMs }) => afterMs)));
  const range = `${seconds(Math.min(...hints))} to ${seconds(Math.max(...hints))}`;
  const backInTime = refused.filter(({ state, refusals }) => state.kind === 'served' && refusals.length === 1).length;
  return (
    `${refused.length}, within ${slowest} ms, each with a retry-after (${range}); ` +
    `${backInTime} came back then and were served`
  );
}
