import { FixedWindow } from '../../../src/scheduler/limits/fixed-window.ts';
import { describeLimit } from './limit.contract.ts';
import { WindowCounter } from './twins/window-counter.ts';

const MINUTE_MS = 60_000;
const SKEW_MS = 250;
const TOKENS = { capacity: 100_000, windowMs: MINUTE_MS };
const PHASE_MS = 17_000;

function minuteOf(instant: number) {
  const startMs = Math.floor((instant - PHASE_MS) / MINUTE_MS) * MINUTE_MS + PHASE_MS;
  return { startMs, endMs: startMs + MINUTE_MS };
}

describeLimit({
  ...TOKENS,
  name: 'a window of known phase',
  skewMs: SKEW_MS,
  limits: () => [new FixedWindow({ ...TOKENS, unit: 'tokens', skewMs: SKEW_MS, boundaries: minuteOf })],
  twins: { 'that window': () => new WindowCounter({ ...TOKENS, phase: PHASE_MS }) },
  utilisation: [
    { meanShare: 0.01, atLeast: 0.99 },
    { meanShare: 0.05, atLeast: 0.985 },
    { meanShare: 0.1, atLeast: 0.97 },
    { meanShare: 0.2, atLeast: 0.94 },
  ],
});
