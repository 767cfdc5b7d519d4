import { Board, requestName, type Ticket } from './demo-board.ts';
import { ask } from './demo-caller.ts';
import { createScreen } from './demo-screen.ts';
import { DEMO_KEYS, demoNotice, openStage, type Stage } from './demo-stage.ts';
import { isAsPromised, summary } from './demo-summary.ts';
import { seconds } from './demo-table.ts';
import { type CliIo, signalExitCode } from './io.ts';
import { overridesFrom, type StartFlags } from './overrides.ts';
import type { StartServices } from './start.ts';

const REQUESTS = 30;
/** Short enough that not everybody may wait. */
const MAX_WAIT = '6s';
/** Whoever does as it was told is served at its first return; so many are allowed before it counts as failed. */
const MOST_RETURNS = 3;
const LOOK_EVERY_MS = 200;

/** `sluice demo --burst`: more requests at once than the keys can take, and what becomes of each. Ends by itself. */
export async function burst(
  io: CliIo,
  { host, port = '0' }: Pick<StartFlags, 'host' | 'port'>,
  createApp: StartServices['createApp'],
): Promise<void> {
  const overrides = overridesFrom({}, { host, port });
  const stage = await openStage(io, createApp, { overrides, maxWait: MAX_WAIT, logsRequests: false });
  const interrupted = untilInterrupted(io);
  io.stdout.write(introduction(io.version, stage));
  // So that the first of the burst does not wait for the client's own machinery to be loaded.
  await waitingTickets(stage.url);
  const board = new Board(REQUESTS, io.clock.now());
  const stopLooking = look(io, stage, board);
  const calls = Promise.all(board.requests.map(({ number }) => call(io, { stage, board, number })));
  const isComplete = await Promise.race([calls.then(() => true), interrupted.then(() => false)]);
  stopLooking();
  if (isComplete) io.stdout.write(`\n${summary(board, stage.ledger(), io.clock.now())}`);
  // Nobody minds whether made-up answers are complete.
  await stage.closeNow();
  io.exit(isComplete && !isAsPromised(board, stage.ledger()) ? 1 : 0);
}

/** The first signal ends the burst in good order, the second cuts. */
function untilInterrupted(io: CliIo): Promise<void> {
  return new Promise((resolve) => {
    io.onSignal((signal, nth) => {
      if (nth === 1) resolve();
      else io.exit(signalExitCode(signal));
    });
  });
}

function introduction(version: string, { maxWaitMs }: Stage): string {
  const limits = DEMO_KEYS.map(({ requests }) => requests);
  const [first, ...others] = limits.toReversed();
  return [
    demoNotice(version),
    `${REQUESTS} requests at once, on keys of ${others.toReversed().join(', ')} and ${first} requests a minute; ` +
      `each may wait ${seconds(maxWaitMs)}.`,
    '',
    '',
  ].join('\n');
}

interface Call {
  readonly stage: Stage;
  readonly board: Board;
  readonly number: number;
}

/** One client, which comes back when it is told to. */
async function call(io: CliIo, { stage, board, number }: Call): Promise<void> {
  for (let returns = 0; ; returns += 1) {
    board.asks(number, io.clock.now());
    const answer = await ask(stage.url, requestName(number));
    const isTooOften = answer.kind === 'refused' && returns === MOST_RETURNS;
    const reason = `refused ${MOST_RETURNS + 1} times`;
    board.answered(number, isTooOften ? { kind: 'failed', reason } : answer, io.clock.now());
    if (answer.kind !== 'refused' || isTooOften) return;
    await new Promise<void>((resolve) => io.clock.schedule(answer.retryAfterMs, resolve));
  }
}

/** Asks Sluice again and again who waits, and shows it. */
function look(io: CliIo, stage: Stage, board: Board): () => void {
  const screen = createScreen(io.stdout);
  let isOver = false;
  let cancel = () => {};
  const lookOnce = async () => {
    const tickets = await waitingTickets(stage.url);
    if (isOver) return;
    const now = io.clock.now();
    board.planned(tickets, now);
    screen.show(board, now);
    lookLater();
  };
  const lookLater = () => {
    cancel = io.clock.schedule(LOOK_EVERY_MS, () => void lookOnce());
  };
  lookLater();
  return () => {
    isOver = true;
    cancel();
  };
}

async function waitingTickets(url: string): Promise<readonly Ticket[]> {
  try {
    const response = await fetch(`${url}/queue`);
    const { tickets } = (await response.json()) as { readonly tickets: readonly Ticket[] };
    return tickets;
  } catch {
    // It is closing: there is nothing left to show.
    return [];
  }
}
