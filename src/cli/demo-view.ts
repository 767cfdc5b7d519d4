import type { Board, Standing } from './demo-board.ts';
import { DEMO_KEYS } from './demo-stage.ts';
import { seconds, table } from './demo-table.ts';

/** So many of those that wait are shown that a picture fits a small terminal. */
const MOST_WAITING = 8;
const MOST_AWAY = 3;

/** A burst as it stands at `now`, to be drawn over and over, line by line. */
export function picture(board: Board, now: number): string[] {
  const { served, running, waiting, away } = board.standing();
  const states = [
    `${served.length} served`,
    `${running.length} being answered`,
    `${waiting.length} waiting`,
    `${away.length} sent away`,
  ];
  return [
    `  ${seconds(now - board.startedAt)}: ${states.join(', ')}`,
    '',
    ...keyRows(served),
    '',
    ...waitingRows(waiting, now),
    '',
    `  sent away, coming back as told: ${returns(away, now)}`,
  ];
}

/** Stands over what `progressLine` makes. */
export const PROGRESS_HEAD = `${columns(['time', 'served', 'running', 'waiting', 'sent away'])}   next to start`;

/** What `picture` shows, short enough for a line, for where nothing can be drawn over. */
export function progressLine(board: Board, now: number): string {
  const { served, running, waiting, away } = board.standing();
  const counts = [served, running, waiting, away].map(({ length }) => String(length));
  const next = waiting.slice(0, 3).map(({ number, key, startsAt }) => {
    return `#${number} on ${key ?? 'any key'} in ${seconds(startsAt - now)}`;
  });
  return `${columns([seconds(now - board.startedAt), ...counts])}   ${next.join(', ')}`.trimEnd();
}

/** Equal as long as nobody has moved. */
export function progressMark(board: Board): string {
  const { served, running, waiting, away } = board.standing();
  return [served, running, waiting, away].map(({ length }) => length).join();
}

/** Each key with what it has served so far. */
export function keyRows(served: Standing['served']): string[] {
  const rows = DEMO_KEYS.map(({ name, requests }) => {
    const count = served.filter(({ key }) => key === name).length;
    return [name, `${requests} a minute`, String(count), '█'.repeat(count)];
  });
  return table(['key', '>limit', '>served', ''], rows);
}

function waitingRows(waiting: Standing['waiting'], now: number): string[] {
  if (waiting.length === 0) return ['  nobody waits'];
  const rows = waiting.slice(0, MOST_WAITING).map(({ number, key, since, startsAt }) => {
    return [`#${number}`, key ?? 'any', seconds(now - since), seconds(startsAt - now)];
  });
  const behind = waiting.length - rows.length;
  const rest = behind > 0 ? [`  and ${behind} behind them`] : [];
  return [...table(['waiting', 'for key', '>has waited', '>starts in'], rows), ...rest];
}

function returns(away: Standing['away'], now: number): string {
  if (away.length === 0) return 'nobody';
  const shown = away.slice(0, MOST_AWAY).map(({ number, until }) => `#${number} in ${seconds(until - now)}`);
  const more = away.length > MOST_AWAY ? ` and ${away.length - MOST_AWAY} more` : '';
  return `${shown.join(', ')}${more}`;
}

function columns([first = '', ...others]: readonly string[]): string {
  return `  ${first.padEnd(6)}${others.map((cell) => cell.padStart(11)).join('')}`;
}
