import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_UNSENT_BYTES } from '../../src/streaming/paced-sink.ts';
import { EventRelay, KEEPALIVE_COMMENT, type RelayListener } from '../../src/streaming/relay.ts';
import { readEvent, type StreamGrammar } from '../../src/streaming/stream-facts.ts';
import { chunkEvent, DONE, ROLE, STOP, sse, text, USAGE } from './events.ts';

/** A client, an upstream and an owner in one; `log` has what they saw, in order. */
class Scene {
  readonly log: string[] = [];
  readonly writes: string[] = [];
  readonly usages: unknown[] = [];
  readonly relay: EventRelay;
  unsentBytes = 0;
  errorJson: unknown;
  #drain: () => void = () => undefined;

  constructor({ isUsageWanted = false, keepsUnsent = false, grammar = readEvent } = {}) {
    const listener: RelayListener = {
      onFirstEvent: () => this.log.push('first event'),
      onFirstContent: () => this.log.push('first content'),
      onUsage: (json) => {
        this.usages.push(json);
        this.log.push('usage');
      },
      onDone: () => this.log.push('done'),
      onErrorEvent: (json) => {
        this.errorJson = json;
        this.log.push('error');
      },
      onUnreadable: ({ message }) => this.log.push(message),
    };
    const scene = this;
    const sink = {
      get unsentBytes(): number {
        return scene.unsentBytes;
      },
      write: (bytes: Uint8Array | string): boolean => {
        const chunk = Buffer.from(bytes);
        this.writes.push(chunk.toString());
        this.log.push('write');
        if (keepsUnsent) this.unsentBytes += chunk.length;
        return !keepsUnsent;
      },
      onDrain: (drain: () => void): void => {
        this.#drain = drain;
      },
    };
    const flow = { pause: () => this.log.push('pause'), resume: () => this.log.push('resume') };
    this.relay = new EventRelay({ sink, flow, listener, isUsageWanted, grammar });
  }

  get written(): string {
    return this.writes.join('');
  }

  push(...chunks: string[]): this {
    for (const chunk of chunks) this.relay.push(Buffer.from(chunk));
    return this;
  }

  drain(): void {
    this.unsentBytes = 0;
    this.#drain();
  }
}

describe('a stream', () => {
  it('is relayed byte for byte, and its stages are told', () => {
    const scene = new Scene().push(ROLE, text('a'), text('b'), STOP, DONE);
    expect(scene.written).toBe(ROLE + text('a') + text('b') + STOP + DONE);
    expect(scene.log).toEqual(['first event', 'first content', 'write', 'write', 'write', 'write', 'done']);
    expect(scene.relay.finish()).toBe('complete');
  });

  it('goes out with one write a chunk, whatever lies in it', () => {
    const scene = new Scene().push(ROLE + text('a') + text('b'), text('c') + USAGE + DONE);
    expect(scene.writes).toEqual([ROLE + text('a') + text('b'), text('c') + DONE]);
  });

  it('that is cut inside events goes out in whole ones', () => {
    const [whole, half] = [text('a'), text('b')];
    const scene = new Scene().push(whole + half.slice(0, 20), half.slice(20, 40), half.slice(40) + text('c'));
    expect(scene.writes).toEqual([whole, half + text('c')]);
  });

  it('keeps comments and other silent events that come after the first output', () => {
    const scene = new Scene().push(': a\n\n', ROLE, ': b\n\n', text('a'), ': c\n\n', 'id: 1\n\n');
    expect(scene.written).toBe(`${ROLE + text('a')}: c\n\nid: 1\n\n`);
  });

  it('drops what follows its end', () => {
    const scene = new Scene().push(text('a'), DONE + text('b'), text('c'));
    expect(scene.written).toBe(text('a') + DONE);
    expect(scene.log.at(-1)).toBe('done');
  });

  it('ends with the event that ends its format, and that goes out', () => {
    const grammar: StreamGrammar = (event) => {
      const facts = readEvent(event);
      return facts.kind === 'chunk' ? { ...facts, endsStream: event.event === 'end' } : facts;
    };
    const end = `event: end\n${sse({ choices: [] })}`;
    const scene = new Scene({ grammar }).push(text('a'), end + text('b'));
    expect(scene.written).toBe(text('a') + end);
    expect(scene.log.at(-1)).toBe('done');
    expect(scene.relay.finish()).toBe('complete');
  });

  it('counts what it relays', () => {
    const scene = new Scene().push(ROLE, text('abc'), text('de'), STOP);
    expect(scene.relay.produced).toEqual({ characters: 5, deltas: 2 });
  });

  it('counts once what its format says a second time', () => {
    const grammar: StreamGrammar = (event) => {
      const facts = readEvent(event);
      return facts.kind === 'chunk' ? { ...facts, isRepeat: event.event === 'all' } : facts;
    };
    const scene = new Scene({ grammar }).push(text('abc'), `event: all\n${text('abc')}`, STOP);
    expect(scene.relay.produced).toEqual({ characters: 3, deltas: 1 });
  });
});

describe('before the first output', () => {
  it('nothing is written', () => {
    const scene = new Scene().push(': hello\n\n', sse({ choices: [], prompt_filter_results: [] }), ROLE);
    expect(scene.log).toEqual(['first event']);
    expect(scene.relay.isReleased).toBe(false);
  });

  it('what came is held and leaves with it', () => {
    const scene = new Scene().push(ROLE, chunkEvent({}), text('a'));
    expect(scene.writes).toEqual([ROLE + chunkEvent({}) + text('a')]);
    expect(scene.relay.isReleased).toBe(true);
  });

  it('an error is told and nothing written', () => {
    const scene = new Scene().push(ROLE + sse({ error: { message: 'no' } }) + text('a'));
    expect(scene.log).toEqual(['first event', 'error']);
    expect(scene.errorJson).toEqual({ error: { message: 'no' } });
  });

  it.each([
    ['something that is not JSON', 'data: oops\n\n', 'An event of the stream is not JSON.'],
    ['the end', DONE, 'The stream ended before its first output.'],
  ])('%s makes it unreadable', (_name, raw, message) => {
    const scene = new Scene().push(ROLE, raw, text('a'));
    expect(scene.log).toEqual(['first event', message]);
    expect(scene.relay.finish()).toBe('truncated');
  });

  it('a stream that only ever sends other things is let through in the end', () => {
    const filler = chunkEvent({ delta: { role: 'x'.repeat(10_000) } });
    const scene = new Scene();
    for (let count = 0; count < 120; count++) scene.push(filler);
    expect(scene.relay.isReleased).toBe(true);
    expect(scene.written).toBe(filler.repeat(120));
  });
});

describe('after the first output', () => {
  it('an error is told, not written, and what came before it is', () => {
    const scene = new Scene().push(text('a'), text('b') + sse({ error: { message: 'key sk-1' } }) + text('c'));
    expect(scene.written).toBe(text('a') + text('b'));
    expect(scene.log.slice(-2)).toEqual(['write', 'error']);
  });

  it('the owner ends it with an error in band', () => {
    const scene = new Scene().push(text('a'));
    const error = { message: 'It broke (req_1).', type: 'server_error', param: null, code: 'upstream_error' };
    scene.relay.fail({ error });
    expect(scene.writes.at(-1)).toBe(sse({ error }));
    expect(scene.push(text('b')).writes.length).toBe(2);
  });

  it('what is not JSON makes it unreadable', () => {
    const scene = new Scene().push(text('a'), 'data: oops\n\n');
    expect(scene.log.at(-1)).toBe('An event of the stream is not JSON.');
  });

  it('an event without end makes it unreadable', () => {
    const scene = new Scene().push(text('a'));
    for (let count = 0; count < 10; count++) scene.push('x'.repeat(1024 * 1024));
    expect(scene.log.at(-1)).toBe('An event of the stream does not end.');
    expect(scene.written).toBe(text('a'));
  });
});

describe('usage', () => {
  it('is told, and the chunk that was asked for by Sluice is taken out', () => {
    const scene = new Scene().push(text('a'), STOP, USAGE, DONE);
    expect(scene.written).toBe(text('a') + STOP + DONE);
    expect(scene.usages).toEqual([
      { id: 'chatcmpl-1', choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } },
    ]);
  });

  it('stays for a client that asked for it', () => {
    const scene = new Scene({ isUsageWanted: true }).push(text('a'), USAGE, DONE);
    expect(scene.written).toBe(text('a') + USAGE + DONE);
    expect(scene.usages.length).toBe(1);
  });

  it('stays on a chunk with content', () => {
    const both = chunkEvent({ delta: { content: 'b' } }, { usage: { prompt_tokens: 1 } });
    const scene = new Scene().push(text('a'), both);
    expect(scene.written).toBe(text('a') + both);
    expect(scene.log.filter((entry) => entry === 'usage').length).toBe(1);
  });

  it('is told each time it comes', () => {
    const both = chunkEvent({ delta: { content: 'b' } }, { usage: { prompt_tokens: 1 } });
    expect(new Scene().push(both, both).usages.length).toBe(2);
  });

  it('that comes alone in a chunk causes no write', () => {
    expect(new Scene().push(text('a'), USAGE).writes.length).toBe(1);
  });
});

describe('the end of the body', () => {
  it.each<[string, string[], 'complete' | 'truncated']>([
    ['after [DONE]', [text('a'), DONE], 'complete'],
    ['after a finish reason', [text('a'), STOP], 'complete'],
    ['after a finish reason and usage', [text('a'), STOP, USAGE], 'complete'],
    ['after a finish reason and one more chunk', [text('a'), STOP, chunkEvent({})], 'complete'],
    ['after text', [text('a'), text('b')], 'truncated'],
    ['inside an event', [text('a'), STOP.slice(0, -20)], 'truncated'],
    ['inside a comment', [text('a'), ': keep'], 'truncated'],
    ['after a role', [ROLE], 'truncated'],
    ['at once', [], 'truncated'],
  ])('%s', (_name, chunks, expected) => {
    expect(new Scene().push(...chunks).relay.finish()).toBe(expected);
  });

  it('completes a last event that lacks its blank line', () => {
    const scene = new Scene().push(text('a'), DONE.trimEnd());
    expect(scene.relay.finish()).toBe('complete');
    expect(scene.written).toBe(text('a') + DONE);
    expect(scene.log.at(-1)).toBe('done');
  });

  it('releases a stream whose only event lacks its blank line', () => {
    const scene = new Scene().push(`${STOP.trimEnd()}\r\n`);
    expect(scene.relay.finish()).toBe('complete');
    expect(scene.writes).toEqual([`${STOP.trimEnd()}\r\n\n\n`]);
  });

  it('holds a last event without output for ever', () => {
    const scene = new Scene().push(ROLE.trimEnd());
    expect(scene.relay.finish()).toBe('truncated');
    expect(scene.writes).toEqual([]);
  });

  it('drops a last event that was cut', () => {
    const scene = new Scene().push(text('a') + text('b').slice(0, 30));
    scene.relay.finish();
    expect(scene.written).toBe(text('a'));
  });
});

describe('back-pressure', () => {
  it('pauses the upstream once above a mebibyte of unsent bytes and resumes it on drain', () => {
    const scene = new Scene({ keepsUnsent: true });
    const large = text('x'.repeat(400_000));
    scene.push(large, large);
    expect(scene.log).not.toContain('pause');
    scene.push(large);
    expect(scene.unsentBytes).toBeGreaterThan(MAX_UNSENT_BYTES);
    expect(scene.log.at(-1)).toBe('pause');
    scene.push(large);
    expect(scene.log.filter((entry) => entry === 'pause').length).toBe(1);
    scene.drain();
    scene.drain();
    expect(scene.log.filter((entry) => entry === 'resume').length).toBe(1);
  });
});

describe('any stream', () => {
  const pieces = fc.constantFrom(ROLE, text('a'), text('€'), chunkEvent({}), ': c\n\n', STOP, USAGE, KEEPALIVE_COMMENT);

  it('split anywhere is relayed alike', () => {
    const stream = fc.array(pieces, { maxLength: 12 }).map((events) => Buffer.from(text('z') + events.join('') + DONE));
    fc.assert(
      fc.property(stream, fc.array(fc.nat(3000), { maxLength: 6 }), (bytes, cuts) => {
        const whole = new Scene();
        whole.relay.push(bytes);
        const split = new Scene();
        const edges = [...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
        edges.reduce((start, end) => {
          split.relay.push(bytes.subarray(start, end));
          return end;
        }, 0);
        expect(split.written).toBe(whole.written);
        expect(split.relay.produced).toEqual(whole.relay.produced);
        expect(whole.written).toBe(bytes.toString().replaceAll(USAGE, ''));
      }),
      { numRuns: 500 },
    );
  });
});
