import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Board } from '../../src/cli/demo-board.ts';
import { ask } from '../../src/cli/demo-caller.ts';
import { createScreen } from '../../src/cli/demo-screen.ts';
import { isAsPromised, summary } from '../../src/cli/demo-summary.ts';
import { table } from '../../src/cli/demo-table.ts';
import { picture, progressLine } from '../../src/cli/demo-view.ts';
import type { Ledger } from '../../src/simulator/ledger.ts';

/** Books of a vendor that took all it was sent. */
const LEDGER = { received: 6, admitted: 6, rateLimited: 0 } as Ledger;

/** Six requests after 2 s: 1 and 2 served, 3 running, 4 and 5 waiting, 6 sent away until 5 s. */
function midway(): Board {
  const board = new Board(6, 1_000);
  board.answered(1, { kind: 'served', key: 'demo-60', queuedMs: 0 }, 1_500);
  board.answered(2, { kind: 'served', key: 'demo-20', queuedMs: 400 }, 2_000);
  board.answered(6, { kind: 'refused', retryAfterMs: 5_000 }, 1_020);
  board.planned(
    [
      { request: 'request-4', waitedMs: 2_000, startsInMs: 300, route: null },
      { request: 'request-5', waitedMs: 2_000, startsInMs: 700, route: { key: 'demo-40' } },
    ],
    3_000,
  );
  return board;
}

describe('a table', () => {
  it('is as wide as its widest cell, with numbers at the right', () => {
    expect(
      table(
        ['name', '>count'],
        [
          ['a', '7'],
          ['longer', '12'],
        ],
      ),
    ).toEqual(['  name    count', '  a           7', '  longer     12']);
  });
});

describe('the picture of a burst', () => {
  it('says who waits, for which key, and how long', () => {
    expect(picture(midway(), 3_000)).toEqual([
      '  2.0 s: 2 served, 1 being answered, 2 waiting, 1 sent away',
      '',
      '  key            limit  served',
      '  demo-20  20 a minute       1  █',
      '  demo-40  40 a minute       0',
      '  demo-60  60 a minute       1  █',
      '',
      '  waiting  for key  has waited  starts in',
      '  #5       demo-40       2.0 s      0.7 s',
      '  #4       any           2.0 s      0.3 s',
      '',
      '  sent away, coming back as told: #6 in 3.0 s',
    ]);
  });

  it('fits a terminal, however many there are', () => {
    const board = new Board(60, 0);
    for (let number = 1; number <= 30; number += 1)
      board.answered(number, { kind: 'refused', retryAfterMs: number }, 0);
    const tickets = Array.from({ length: 30 }, (_, index) => ({
      ...{ request: `request-${31 + index}`, waitedMs: 0, startsInMs: index, route: null },
    }));
    board.planned(tickets, 0);
    const lines = picture(board, 0);
    expect(lines.length).toBeLessThan(24);
    expect(lines).toContain('  and 22 behind them');
    expect(lines.at(-1)).toBe('  sent away, coming back as told: #1 in 0.0 s, #2 in 0.0 s, #3 in 0.0 s and 27 more');
  });

  it('is short when nobody waits and nobody was sent away', () => {
    const lines = picture(new Board(2, 0), 0);
    expect(lines[0]).toBe('  0.0 s: 0 served, 2 being answered, 0 waiting, 0 sent away');
    expect(lines.slice(-3)).toEqual(['  nobody waits', '', '  sent away, coming back as told: nobody']);
  });

  it('has a line for where nothing can be drawn over', () => {
    expect(progressLine(midway(), 3_000)).toBe(
      '  2.0 s           2          1          2          1   #5 on demo-40 in 0.7 s, #4 on any key in 0.3 s',
    );
  });

  it('shows nobody as waiting who was answered meanwhile', () => {
    const board = midway();
    board.answered(5, { kind: 'served', key: 'demo-40', queuedMs: 2_600 }, 3_600);
    board.planned([{ request: 'request-5', waitedMs: 2_500, startsInMs: null, route: null }], 3_601);
    expect(board.standing().waiting).toEqual([]);
    expect(board.standing().running).toEqual([3, 4]);
  });

  it('takes a wait of unknown length for the longest', () => {
    const board = new Board(2, 0);
    const ticket = { waitedMs: 0, route: { key: 'demo-20' } };
    board.planned(
      [
        { ...ticket, request: 'request-1', startsInMs: null },
        { ...ticket, request: 'request-2', startsInMs: 9 },
      ],
      0,
    );
    expect(board.standing().waiting.map(({ number }) => number)).toEqual([2, 1]);
  });
});

describe('the screen', () => {
  it('draws over the last picture on a terminal, and cuts what would wrap', () => {
    let out = '';
    const screen = createScreen({ write: (text) => (out += text), isTTY: true, columns: 20 });
    screen.show(midway(), 3_000);
    expect(out).not.toContain('\u001b');
    out = '';
    screen.show(midway(), 3_000);
    expect(out.startsWith('\u001b[12A\u001b[J')).toBe(true);
    for (const line of out.replace('\u001b[12A\u001b[J', '').split('\n')) expect(line.length).toBeLessThan(20);
  });

  it('takes a terminal of unknown width for 80 columns', () => {
    let out = '';
    createScreen({ write: (text) => (out += text), isTTY: true }).show(midway(), 3_000);
    expect(Math.max(...out.split('\n').map(({ length }) => length))).toBeLessThan(80);
    expect(out).toContain('being answered, 2 waiting, 1 sent away\n');
  });

  it('elsewhere writes a line when somebody has moved, at most one a second', () => {
    let out = '';
    const board = midway();
    const screen = createScreen({ write: (text) => (out += text) });
    const lines = () => out.trimEnd().split('\n').length;
    screen.show(board, 3_000);
    expect(lines()).toBe(2);
    screen.show(board, 9_000);
    expect(lines()).toBe(2);
    board.answered(3, { kind: 'served', key: 'demo-40', queuedMs: 0 }, 9_001);
    screen.show(board, 9_001);
    expect(lines()).toBe(3);
    board.answered(4, { kind: 'served', key: 'demo-40', queuedMs: 0 }, 9_500);
    screen.show(board, 9_500);
    expect(lines()).toBe(3);
    screen.show(board, 10_001);
    expect(lines()).toBe(4);
  });
});

describe('the summary', () => {
  it('tells what each key served, waits, refusals, and what the vendor saw', () => {
    const board = midway();
    for (const number of [3, 4, 5]) board.answered(number, { kind: 'served', key: 'demo-60', queuedMs: 900 }, 4_000);
    board.asks(6, 6_020);
    board.answered(6, { kind: 'served', key: 'demo-60', queuedMs: 2_000 }, 8_000);
    const text = summary(board, LEDGER, 8_000);
    expect(text.split('\n')).toEqual([
      '6 of 6 requests were served within 7.0 s.',
      '',
      '  key            limit  served',
      '  demo-20  20 a minute       1  █',
      '  demo-40  40 a minute       0',
      '  demo-60  60 a minute       5  █████',
      '',
      '  waited in the queue  median 0.9 s, longest 2.0 s',
      '  refused at once      1 of 6, the slowest after 0.0 s',
      '  their retry-after    5.0 s to 5.0 s; 1 of 1 came back then and were served',
      "  the vendor's 429s    0 (its own books: 6 came, 6 were let in)",
      '',
    ]);
    expect(isAsPromised(board, LEDGER)).toBe(true);
    expect(isAsPromised(board, { ...LEDGER, rateLimited: 1 })).toBe(false);
  });

  it('hides no failure', () => {
    const board = new Board(1, 0);
    board.answered(1, { kind: 'failed', reason: 'status 500' }, 10);
    const text = summary(board, LEDGER, 10);
    expect(text).toContain('0 of 1 requests were served');
    expect(text).toContain('  refused              nobody\n');
    expect(text).toContain('  #1 failed            status 500\n');
    expect(isAsPromised(board, LEDGER)).toBe(false);
  });
});

describe('a caller of the burst', () => {
  async function answering(status: number, headers: Record<string, string>) {
    const server = createServer((_, response) => response.writeHead(status, headers).end('{}'));
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'request-1');
  }

  it('reads which key served it and how long it waited', async () => {
    const served = await answering(200, { 'x-sluice-key': 'demo-20', 'x-sluice-queue-ms': '120' });
    expect(served).toEqual({ kind: 'served', key: 'demo-20', queuedMs: 120 });
    expect(await answering(200, {})).toEqual({ kind: 'served', key: 'unknown', queuedMs: 0 });
  });

  it('reads when to come back', async () => {
    expect(await answering(429, { 'retry-after-ms': '1500' })).toEqual({ kind: 'refused', retryAfterMs: 1_500 });
  });

  it('takes everything else for a failure', async () => {
    expect(await answering(429, {})).toEqual({ kind: 'failed', reason: 'status 429' });
    expect(await answering(500, {})).toEqual({ kind: 'failed', reason: 'status 500' });
    expect(await ask('http://127.0.0.1:1', 'request-1')).toEqual({ kind: 'failed', reason: expect.any(String) });
  });
});
