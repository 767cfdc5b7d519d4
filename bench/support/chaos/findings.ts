import type { BookedLimit } from './books.ts';
import type { Story } from './callers.ts';
import type { Health } from './health.ts';
import { CLIENTS, MAX_WAIT_MS } from './sluice-config.ts';
import type { SluiceState } from './sluice-state.ts';

/** What is wrong, in one line each. */
export type Findings = string[];

/** How those fared that had a healthy route. */
export interface Served {
  readonly counted: number;
  readonly served: number;
  readonly unserved: readonly Story[];
}

const LEAST_SERVED = 0.99;
const MOST_ERROR = 0.01;
/** A write of the books, a look at the file, a timer of either. */
const STRAY = 3;
/** The thread that counts long prompts starts with the first of them. */
const THREAD_DESCRIPTORS = 12;
const SHOWN = 20;

/** Those who wait for limits of their own are not judged by the routes, and who has left can't be served. */
export function servedOf(stories: readonly Story[], health: Health): Served {
  const free = new Set<string>(CLIENTS.filter((client) => !('limits' in client)).map(({ name }) => name));
  const counted = stories.filter(({ client, request, sentAt, headAt, endedAt, end }) => {
    if (request.need === null || end.kind === 'left' || !free.has(client)) return false;
    const until = Math.min(headAt ?? endedAt, sentAt + MAX_WAIT_MS);
    return health.hadRoute(request.model, request.need, { from: sentAt, until });
  });
  const unserved = counted.filter(({ status }) => status !== 200);
  return { counted: counted.length, served: counted.length - unserved.length, unserved };
}

export function servedFindings({ counted, served, unserved }: Served): Findings {
  if (served >= LEAST_SERVED * counted) return [];
  return [`${served} of ${counted} that had a healthy route were served`, ...unserved.slice(0, SHOWN).map(storyLine)];
}

/** Requests that ended in neither an answer nor a documented error. */
export function storyFindings(stories: readonly Story[]): Findings {
  const bad = stories.filter(({ end }) => end.kind === 'wrong' || end.kind === 'lost' || end.kind === 'hung');
  return bad.slice(0, SHOWN).map(storyLine);
}

export function storyLine({ requestId, client, request, status, sentAt, endedAt, end }: Story): string {
  const { model, shape, isStreaming } = request;
  const what = 'what' in end ? end.what : 'code' in end ? end.code : '';
  const form = isStreaming ? 'streamed' : 'whole';
  return `${requestId} (${client}, ${model}, ${shape}, ${form}): ${end.kind} ${what}, status ${status}, after ${Math.round(endedAt - sentAt)} ms`;
}

/** Sluice believes in more than there is. */
function optimismOf({ booked, real, capacity }: BookedLimit): number {
  return (booked - real) / capacity;
}

/** Above 0 where Sluice believes in more than its own rule makes of what the vendor has charged. */
export function errorOf({ booked, recomputed, capacity }: BookedLimit): number {
  return (booked - recomputed) / capacity;
}

/** It believes in less than there is, without a reason. */
function isPessimistic(limit: BookedLimit): boolean {
  if (limit.isSpoilt) return false;
  return errorOf(limit) < -MOST_ERROR;
}

/** @param isCertain whether nothing is left that Sluice had to guess: then it may not believe in less than there is either */
export function bookFindings(books: readonly BookedLimit[], isCertain: boolean): Findings {
  return books
    .filter((each) => optimismOf(each) > MOST_ERROR || (isCertain && isPessimistic(each)))
    .map(({ quota, limit, booked, real, recomputed, capacity }) => {
      const [mine, theirs, again] = [booked, real, recomputed].map(Math.round);
      const when = isCertain ? 'after calm and burst' : 'after the chaos';
      return `${quota} ${limit} ${when}: ${mine} left by the books, ${theirs} by the vendor, ${again} computed anew, of ${capacity}`;
    });
}

/** When nothing is under way. @param before at the start */
export function stateFindings(now: SluiceState, before: SluiceState): Findings {
  const findings = [...now.problems];
  if (now.openLeases > 0) findings.push(`${now.openLeases} leases are open`);
  if (now.heldBodyBytes > 0) findings.push(`${now.heldBodyBytes} bytes of bodies are held`);
  if (now.handles > before.handles + STRAY + THREAD_DESCRIPTORS)
    findings.push(`${now.handles - before.handles} more file descriptors`);
  for (const [name, count] of Object.entries(now.resources)) {
    const more = count - (before.resources[name] ?? 0);
    if (more > STRAY) findings.push(`${more} more of ${name}`);
  }
  return findings;
}
