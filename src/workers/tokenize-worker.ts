import { parentPort } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { type EncodingName, loadEncoding } from '../tokens/encoding.ts';
import { TextCounter } from '../tokens/text-counter.ts';
import type { ThreadAnswer, ThreadJob } from './token-worker.ts';

/** Everything up to about 1 MB is counted exactly in this time; of more, an evenly spread sample of thousands of slices. */
const JOB_BUDGET_MS = 100;
/** The main thread remembers what this one counted. */
const NO_CACHE = 0;

/** The entry of the thread: counts one job after another, each vocabulary loaded when a job first needs it. */
function serve(port: NonNullable<typeof parentPort>): void {
  const counters = new Map<EncodingName, Promise<TextCounter>>();
  const counterOf = (name: EncodingName): Promise<TextCounter> => {
    const counter = counters.get(name) ?? loadEncoding(name).then((encoding) => new TextCounter(encoding, NO_CACHE));
    counters.set(name, counter);
    return counter;
  };
  port.on('message', async ({ id, encoding, texts }: ThreadJob) => {
    const counter = await counterOf(encoding);
    const end = systemClock.now() + JOB_BUDGET_MS;
    const { tokens, isExact } = counter.count(texts, () => systemClock.now() >= end);
    port.postMessage({ id, tokens, isExact } satisfies ThreadAnswer);
  });
}

if (parentPort !== null) serve(parentPort);
