import { ERROR_TABLE, type ErrorCode } from '../../../src/errors.ts';
import type { ChaosRequest, Shape } from './requests.ts';

/** What a client got. */
export interface SeenAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * What an answer comes to. `served`: whole and as it should be. `broken`: begun, and its end told in band. `refused`: a
 * documented error. `wrong`: anything else, with what is wrong about it.
 */
export type Judgement =
  | { readonly kind: 'served' }
  | { readonly kind: 'broken' | 'refused'; readonly code: string }
  | { readonly kind: 'wrong'; readonly what: string };

/** Errors that good requests may get in a world where everything fails. */
const EXPECTED: readonly ErrorCode[] = [
  'queue_full',
  'queue_wait_exceeded',
  'client_rate_limit_exceeded',
  'upstream_error',
  'upstream_overloaded',
  'upstream_timeout',
  'no_usable_key',
];

export function judgeAnswer(request: ChaosRequest, { status, text }: SeenAnswer): Judgement {
  if (status !== 200) return judgeError(request, status, text);
  if (request.mustFail !== null) return wrong(`200 where ${request.mustFail} was due`);
  return request.isStreaming ? judgeStream(request, text) : judgeWhole(request, text);
}

function judgeError({ mustFail, shape }: ChaosRequest, status: number, text: string): Judgement {
  const code = errorCode(parsed(text), shape);
  if (code === null || !(code in ERROR_TABLE)) return wrong(`status ${status} without a documented code: ${cut(text)}`);
  const due = ERROR_TABLE[code as ErrorCode].status;
  if (due !== status) return wrong(`status ${status} with ${code}, whose status is ${due}`);
  if (mustFail === code) return { kind: 'refused', code };
  if (mustFail !== null) return wrong(`${code} where ${mustFail} was due`);
  return EXPECTED.includes(code as ErrorCode)
    ? { kind: 'refused', code }
    : wrong(`${code} to a good request: ${cut(text)}`);
}

const IS_WHOLE: Readonly<Record<Shape, (json: Fields) => boolean>> = {
  chat: (json) => hasText(at(json, 'choices', 0, 'message', 'content')),
  messages: (json) => hasText(at(json, 'content', 0, 'text')),
  responses: (json) => hasText(at(json, 'output', 0, 'content', 0, 'text')),
  embeddings: (json) => Array.isArray(at(json, 'data', 0, 'embedding')),
};

function judgeWhole({ shape, body }: ChaosRequest, text: string): Judgement {
  const json = parsed(text);
  if (json === null || !IS_WHOLE[shape](json)) return wrong(`200 without an answer: ${cut(text)}`);
  if (shape !== 'embeddings') return { kind: 'served' };
  const { input } = JSON.parse(body) as { input: unknown };
  const inputs = Array.isArray(input) ? input.length : 1;
  const { length } = json['data'] as unknown[];
  return length === inputs ? { kind: 'served' } : wrong(`${length} vectors for ${inputs} texts`);
}

/** The data of a stream's last event, when it is whole. */
const IS_END: Readonly<Record<Shape, (data: string) => boolean>> = {
  chat: (data) => data === '[DONE]',
  messages: (data) => data.includes('"message_stop"'),
  responses: (data) => /^\{"type":"response\.(completed|incomplete)"/.test(data),
  embeddings: () => false,
};

function judgeStream({ shape }: ChaosRequest, text: string): Judgement {
  const events = text.split('\n\n').filter((event) => event !== '' && !event.startsWith(':'));
  if (text !== '' && !text.endsWith('\n\n'))
    return wrong(`a stream that ends within an event: ${cut(text.slice(-200))}`);
  const last = events.at(-1) ?? '';
  const data = dataOf(last);
  const isEnded = IS_END[shape](data);
  const isTwice = events.filter((event) => dataOf(event) === data).length > 1;
  if (isEnded) return isTwice ? wrong('a stream that ends twice') : { kind: 'served' };
  const code = errorCode(parsed(data), shape);
  if (code === null || !(code in ERROR_TABLE)) return wrong(`a stream that just ends: ${cut(text.slice(-200))}`);
  return { kind: 'broken', code };
}

type Fields = Readonly<Record<string, unknown>>;

function dataOf(event: string): string {
  return (
    event
      .split('\n')
      .find((line) => line.startsWith('data: '))
      ?.slice(6) ?? ''
  );
}

function errorCode(json: Fields | null, shape: Shape): string | null {
  const code = at(json, 'error', ...(shape === 'messages' ? ['details', 'error_code'] : ['code']));
  return typeof code === 'string' ? code : null;
}

function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, step) => (typeof inner === 'object' && inner !== null ? (inner as Fields)[step] : undefined),
    value,
  );
}

function hasText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function parsed(text: string): Fields | null {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Fields) : null;
  } catch {
    return null;
  }
}

function wrong(what: string): Judgement {
  return { kind: 'wrong', what };
}

function cut(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
