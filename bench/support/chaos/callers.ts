import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { type Random, seeded } from '../../../test/tokens/texts.ts';
import { type Judgement, judgeAnswer } from './judge-answer.ts';
import { exponential, pick } from './plan.ts';
import { burstRequests, type ChaosRequest, drawRequest } from './requests.ts';
import { CLIENTS } from './sluice-config.ts';

const MEAN_PAUSE_MS = 4_000;
/** Nothing in the configuration allows for a longer one: a wait of 10 s, three attempts of 20 s, and pauses between. */
const HUNG_MS = 90_000;
const LEAVES = 0.08;
const HALF_UPLOADS = 0.03;
const SLOW_READERS = 0.03;
const SLOW_READ_MS = 30;
const COMES_BACK = 0.5;
const BURST_PAUSE_MS = 30;

/** One request, from its sending to the end of its answer. Instants are milliseconds of `performance.now()`. */
export interface Story {
  readonly client: string;
  readonly request: ChaosRequest;
  readonly sentAt: number;
  /** Of the answer's head; null: none came. */
  readonly headAt: number | null;
  readonly endedAt: number;
  readonly status: number | null;
  readonly requestId: string;
  /** `left`: the client went away. `lost`: the connection broke. `hung`: it did not end. */
  readonly end: Judgement | { readonly kind: 'left' | 'hung' } | { readonly kind: 'lost'; readonly what: string };
}

interface Head {
  readonly at: number;
  readonly status: number;
  readonly retryAfterMs: number | null;
}

/** Clients that ask, read, and pause; some leave, some read slowly, some come back when told. */
export class Callers {
  readonly stories: Story[] = [];
  halfUploads = 0;
  readonly #url: string;
  readonly #seed: number;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];

  constructor(url: string, seed: number) {
    this.#url = url;
    this.#seed = seed;
  }

  /** @param first number of the first of them: each has its own sequence of requests */
  start(clients: number, first = 0): void {
    for (let index = first; index < first + clients; index++) this.#running.push(this.#live(index));
  }

  /**
   * Many large requests, of somebody without limits; returns when all have ended. Not all in one instant: the simulated
   * vendors count their texts one by one, and would look at the last of them seconds after it was sent.
   */
  async burst(): Promise<void> {
    const [client] = CLIENTS;
    const pool = new Pool(this.#url, { connections: null, pipelining: 1 });
    const random = seeded(this.#seed);
    const requests = burstRequests(`burst-${this.#seed}`);
    await Promise.all(
      requests.map(async (request, nth) => {
        await sleep(nth * BURST_PAUSE_MS);
        await this.#send({ pool, client, request, random, id: `burst-${nth}` }, null);
      }),
    );
    await pool.destroy();
  }

  /** Nobody begins anything new; returns when all that is under way has ended. */
  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #live(index: number): Promise<void> {
    const random = seeded(this.#seed * 10_000 + index);
    const client = pick(CLIENTS, random);
    const pool = new Pool(this.#url, { connections: 2, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
    await this.#rest(MEAN_PAUSE_MS * random());
    for (let nth = 0; !this.#stop.signal.aborted; nth++) {
      const request = drawRequest(random, `c${index}-${nth}`);
      await this.#ask({ pool, client, request, random, id: `chaos-${this.#seed}-${index}-${nth}` });
      await this.#rest(exponential(MEAN_PAUSE_MS, random));
    }
    await pool.destroy();
  }

  async #ask(call: Call): Promise<void> {
    if (call.random() < HALF_UPLOADS) return this.#uploadHalf(call);
    const leavesAfterMs = call.random() < LEAVES ? 3_000 * call.random() ** 3 : null;
    const comesBack = call.random() < COMES_BACK;
    const head = await this.#send(call, leavesAfterMs);
    if (!comesBack || head?.status !== 429 || head.retryAfterMs === null) return;
    await this.#rest(head.retryAfterMs);
    if (!this.#stop.signal.aborted) await this.#send({ ...call, id: `${call.id}-again` }, null);
  }

  /** Somebody who goes away in the middle of what they send: nobody has to answer, and nothing may be left of it. */
  async #uploadHalf({ client, request: { path, body }, random }: Call): Promise<void> {
    const { hostname, port } = new URL(this.#url);
    const socket = connect({ host: hostname, port: Number(port) });
    // It may be the server that goes first.
    socket.on('error', () => undefined);
    const head = [
      `POST ${path} HTTP/1.1`,
      `host: ${hostname}`,
      'content-type: application/json',
      `authorization: Bearer ${client.key}`,
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, body.length * random())}`);
    await this.#rest(500 * random());
    if (random() < 0.5) socket.resetAndDestroy();
    else socket.destroy();
    this.halfUploads++;
  }

  async #send({ pool, client, request, random, id }: Call, leavesAfterMs: number | null): Promise<Head | null> {
    const sentAt = performance.now();
    const leaving = new AbortController();
    const leave = leavesAfterMs === null ? null : setTimeout(() => leaving.abort('left'), leavesAfterMs);
    const hang = setTimeout(() => leaving.abort('hung'), HUNG_MS);
    const isSlow = random() < SLOW_READERS;
    let head: Head | null = null;
    const tell = (end: Story['end']): void => {
      const { at: headAt = null, status = null } = head ?? {};
      const endedAt = performance.now();
      this.stories.push({ client: client.name, request, sentAt, headAt, endedAt, status, requestId: id, end });
    };
    try {
      const answer = await pool.request({
        method: 'POST',
        path: request.path,
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${client.key}`,
          'x-request-id': id,
          ...request.headers,
        },
        body: request.body,
        signal: leaving.signal,
      });
      const told = answer.headers['x-should-retry'] === 'false' ? undefined : answer.headers['retry-after-ms'];
      const retryAfterMs = told === undefined ? null : Number(told);
      head = { at: performance.now(), status: answer.statusCode, retryAfterMs };
      const pieces: Buffer[] = [];
      for await (const piece of answer.body) {
        pieces.push(piece as Buffer);
        if (isSlow) await sleep(SLOW_READ_MS);
      }
      tell(judgeAnswer(request, { status: head.status, text: Buffer.concat(pieces).toString() }));
    } catch (error) {
      const why: unknown = leaving.signal.reason;
      if (why === 'left' || why === 'hung') tell({ kind: why });
      else tell({ kind: 'lost', what: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    } finally {
      if (leave) clearTimeout(leave);
      clearTimeout(hang);
    }
    return head;
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

interface Call {
  readonly pool: Pool;
  readonly client: (typeof CLIENTS)[number];
  readonly request: ChaosRequest;
  readonly random: Random;
  readonly id: string;
}
