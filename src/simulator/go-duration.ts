const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A duration as Go prints it, and so OpenAI's headers and messages: `12ms`, `1.2s`, `6m0s`, `23h47m36.648s`. Rounds up. */
export function goDuration(durationMs: number): string {
  // A microsecond of slack: what rounding of doubles has added is not waited for.
  const ms = Math.max(0, Math.ceil(durationMs - 1e-3));
  if (ms > 0 && ms < SECOND_MS) return `${ms}ms`;
  const hours = Math.floor(ms / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  const seconds = `${(ms % MINUTE_MS) / SECOND_MS}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
