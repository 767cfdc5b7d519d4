import type { Provider, Usage } from '../../src/providers/provider.ts';
import type { JsonObject, Wire } from '../../src/providers/wire.ts';
import type { AnswerReader } from '../../src/proxy/answer-reader.ts';
import { TranslatedAnswer } from '../../src/proxy/translated-answer.ts';

/** An event as a vendor streams it; text is sent as it is, such as `[DONE]`. */
export interface NativeEvent {
  readonly name?: string;
  readonly json: unknown;
}

export interface Driven {
  /** What went on to the client's side. */
  readonly text: string;
  readonly usage: Usage | null;
}

const CONTEXT = { model: 'asked-for', createdS: 1_767_225_600 };

/** Takes down what a reader of the client's format would get. */
class Listener implements AnswerReader {
  readonly usage = null;
  readonly producedTokens = null;
  text = '';

  push(chunk: Buffer): void {
    this.text += chunk.toString();
  }

  end(): void {
    // Nothing follows.
  }

  fail(): void {
    // Tests of the proxy have broken connections.
  }

  close(): void {
    // No timers.
  }
}

export function chatWire({ wires }: Provider): Wire {
  if (!wires.chat) throw new Error('this vendor has no chats');
  return wires.chat;
}

export function bytesOf(events: readonly NativeEvent[]): Buffer {
  const texts = events.map(({ name, json }) => {
    const data = typeof json === 'string' ? json : JSON.stringify(json);
    return `${name === undefined ? '' : `event: ${name}\n`}data: ${data}\n\n`;
  });
  return Buffer.from(texts.join(''));
}

/** Brings the pieces of a vendor's stream where the proxy would. */
export function drive(provider: Provider, pieces: readonly Buffer[]): Driven {
  const translator = chatWire(provider).translator?.(CONTEXT) ?? AS_IT_IS;
  const listener = new Listener();
  const readUsage: Provider['readUsage'] = (json, known) => provider.readUsage(json, known);
  const reader = new TranslatedAnswer({ inner: listener, translator, readUsage });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  const isOpenAi = !chatWire(provider).translator;
  const text = isOpenAi ? Buffer.concat(pieces).toString() : listener.text;
  return { text, usage: reader.usage };
}

export function translateWhole(provider: Provider, json: JsonObject): JsonObject {
  return chatWire(provider).translator?.(CONTEXT).whole(json) ?? json;
}

/** For vendors that answer in OpenAI's format, whose bytes pass. */
const AS_IT_IS = { whole: (json: JsonObject) => json, event: () => '', end: () => '' };
