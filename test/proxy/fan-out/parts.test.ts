import { describe, expect, test, vi } from 'vitest';
import { StreamMerge } from '../../../src/proxy/fan-out/merge-stream.ts';
import { mergeWhole } from '../../../src/proxy/fan-out/merge-whole.ts';
import { PartReply } from '../../../src/proxy/fan-out/part-reply.ts';
import { addUsage } from '../../../src/proxy/fan-out/usage-sum.ts';
import { remoteImages } from '../../../src/proxy/images/remote-images.ts';

describe('usage of several parts', () => {
  test('is added name by name, and what is no number is that of the first who tells it', () => {
    const one = { a: 1, details: { b: 2 }, tier: 'x' };
    expect(addUsage(one, { a: 3, c: 4, details: { b: 5, d: 6 }, tier: 'y' })).toEqual({
      a: 4,
      c: 4,
      details: { b: 7, d: 6 },
      tier: 'x',
    });
  });

  test('is left out where nobody tells any', () => {
    expect(mergeWhole([{ id: 'a', choices: [{}] }, { choices: [{}, 'odd'] }])).toEqual({
      id: 'a',
      choices: [{ index: 0 }, { index: 1 }],
    });
    expect(new StreamMerge().end()).toBe('data: [DONE]\n\n');
  });

  test('may stand beside a choice', () => {
    const merge = new StreamMerge();
    expect(merge.chunk(1, { id: 'a', choices: [{ delta: {} }], usage: { n: 1 } })).toContain(
      '"index":1}],"usage":null',
    );
    expect(merge.end()).toContain('"usage":{"n":1}');
  });
});

describe('the client as one part sees it', () => {
  const sink = () => ({ unsentBytes: 5, onDrain: vi.fn(), headed: vi.fn(), wrote: vi.fn(() => true), ended: vi.fn() });

  test('has left for good, and hears nothing more', () => {
    const to = sink();
    const reply = new PartReply(0, to);
    const gone = vi.fn();
    reply.onGone(gone);
    reply.leave();
    reply.leave();
    reply.onGone(gone);
    expect(gone).toHaveBeenCalledTimes(2);
    expect(reply.write('x')).toBe(false);
    reply.end('x');
    expect([to.wrote, to.ended].map((each) => each.mock.calls.length)).toEqual([0, 0]);
  });

  test('has as much unsent as the whole answer', () => {
    expect(new PartReply(0, sink()).unsentBytes).toBe(5);
  });
});

describe('pictures that lie in the web', () => {
  test('are found whichever way they are written, and nothing else is', () => {
    const content = [
      { type: 'image_url', image_url: 'https://a/' },
      { type: 'image_url', image_url: { url: 'HTTPS://b/' } },
      { type: 'image_url', image_url: { url: 'http://c/' } },
      { type: 'image_url', image_url: { url: 7 } },
      'odd',
    ];
    expect(
      remoteImages({ messages: [{ content }, { content: 'https://d/' }, null] }).map(({ param }) => param),
    ).toEqual(['messages[0].content[0].image_url', 'messages[0].content[1].image_url']);
    expect(remoteImages({})).toEqual([]);
  });
});
