import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { UpstreamTimeouts } from '../../src/upstream/transport.ts';
import { createUndiciTransport } from '../../src/upstream/undici-transport.ts';
import { COMPLETION, DONE, HELLO, ROLE, STOP } from '../support/chat-answers.ts';
import { type Chat, ProxyBench } from '../support/proxy-bench.ts';
import {
  answer,
  CHUNKED,
  chunk,
  type Exchange,
  head,
  type Script,
  ScriptedUpstream,
} from '../support/scripted-upstream.ts';

export interface FaultWorld {
  readonly bench: ProxyBench;
  readonly upstream: ScriptedUpstream;
}

export interface FaultOptions {
  /** What the key `first` meets; the key `second` is always served. */
  readonly fault: Script;
  /** Whether there is a second key. */
  readonly isAlone?: boolean;
  readonly timeouts?: Partial<UpstreamTimeouts>;
  /** Where the first key leads, instead of the upstream. */
  readonly firstOrigin?: string;
}

export const STREAMED = ROLE + HELLO + STOP + DONE;

/**
 * Two keys on one scripted upstream over real sockets, the first of which meets a fault. Waits are for events; only where
 * a timeout is the fault itself does the clock of the machine count, and then shortly.
 */
export async function faultWorld({
  fault,
  isAlone = false,
  timeouts = {},
  firstOrigin,
}: FaultOptions): Promise<FaultWorld> {
  const upstream = await ScriptedUpstream.listen((exchange) =>
    exchange.headers.get('authorization') === 'Bearer sk-first' ? fault(exchange) : serve(exchange),
  );
  const transport = createUndiciTransport({ clock: systemClock });
  const { origin } = upstream;
  const first = { name: 'acme', origin: firstOrigin ?? origin, keys: ['first'] };
  const second = { name: 'acme', origin, keys: ['second'] };
  const targets = isAlone ? [first] : [first, second];
  // A second attempt on the only key comes after a pause, which has a test of its own.
  const settings = { attempts: isAlone ? 1 : 3 };
  const bench = new ProxyBench({ clock: systemClock, transport, targets, timeouts, settings, maxWaitMs: 10_000 });
  onTestFinished(async () => {
    bench.scheduler.stop();
    await transport.close();
    await upstream.close();
  });
  return { bench, upstream };
}

/** As an upstream should. */
function serve(exchange: Exchange): Promise<void> {
  if (!isStream(exchange)) return exchange.write(answer(JSON.stringify(COMPLETION)));
  return exchange.write(Buffer.concat([Buffer.from(head(CHUNKED)), chunk(STREAMED), chunk('')]));
}

function isStream({ body }: Exchange): boolean {
  return (JSON.parse(body.toString()) as { stream?: boolean }).stream === true;
}

/** The beginning of a stream. */
export function beginStream(exchange: Exchange, events: string): Promise<void> {
  return exchange.write(Buffer.concat([Buffer.from(head(CHUNKED)), chunk(events)]));
}

/** Requests and LLM tokens that the books of each key hold. */
export function bookedOn(bench: ProxyBench): readonly (readonly [requests: number, tokens: number])[] {
  return bench.routes.map((_, key) => [bench.booked(key, 0), bench.booked(key, 1)]);
}

/** All that was reserved stays booked, since nobody knows what the upstream has counted: the prompt and the usual output. */
export const RESERVED = [1, 31] as const;
/** By the whole answer's own count; a stream that told none keeps what was reserved. */
export const USED = [1, COMPLETION.usage.total_tokens] as const;
/** The limiter has counted a request that went no further. */
export const TURNED_AWAY = [1, 0] as const;

/** The in-band error that a stream ends with. */
export function lastError({ reply }: Chat): { code: string; message: string } {
  const last = reply.text.trimEnd().split('\n\n').at(-1) ?? '';
  return (JSON.parse(last.replace('data: ', '')) as { error: { code: string; message: string } }).error;
}
