import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../src/providers/anthropic/anthropic.ts';
import { overChat } from '../../../src/providers/bridge/over-chat.ts';
import { chatWire } from '../../../src/providers/gemini/chat-wire.ts';
import { gemini } from '../../../src/providers/gemini/gemini.ts';
import type { ImageSource } from '../../../src/proxy/images/inline-images.ts';
import { replaceUrls } from '../../../src/proxy/images/replace-urls.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type BenchTarget, ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';

const PIXEL = Buffer.from('pixel');
const DATA = `data:image/png;base64,${PIXEL.toString('base64')}`;
const GEMINI: BenchTarget = { provider: gemini, changes: { fetchesImages: true } };
const URL_A = 'https://pictures.example/a.png';

function setUp(targets: readonly BenchTarget[] = [GEMINI], fetch: ImageSource['fetch'] = found) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const asked: string[] = [];
  const images: ImageSource = {
    fetch: (url, wishes) => {
      asked.push(url);
      return fetch(url, wishes);
    },
  };
  const bench = new ProxyBench({ clock, transport, targets, services: { images } });
  return { bench, transport, asked };
}

const found: ImageSource['fetch'] = () => Promise.resolve({ mediaType: 'image/png', bytes: PIXEL });
const lost: ImageSource['fetch'] = () => Promise.reject(new Error('it is lost'));

function picture(url: string): object {
  return { type: 'image_url', image_url: { url } };
}

function look(...urls: string[]): object {
  return { messages: [{ role: 'user', content: [{ type: 'text', text: 'Look' }, ...urls.map(picture)] }] };
}

describe('pictures for a vendor that wants them inside the request', () => {
  test('are fetched, each once, and put there', async () => {
    const { bench, transport, asked } = setUp();
    const chat = bench.chat(look(URL_A, 'https://pictures.example/b.png', URL_A));
    const call = await transport.call();
    expect(asked).toEqual([URL_A, 'https://pictures.example/b.png']);
    const inline = { inlineData: { mimeType: 'image/png', data: PIXEL.toString('base64') } };
    expect(call.json).toMatchObject({ contents: [{ parts: [{ text: 'Look' }, inline, inline, inline] }] });
    chat.reply.leave();
    await chat.done;
  });

  test("are fetched for a message of Anthropic's format as well, if all that may serve it want that", async () => {
    const bridged = overChat(chatWire, { vendor: 'gemini', readUsage: gemini.readUsage, asksForUsage: false });
    const wires = { ...gemini.wires, messages: bridged };
    const targets: BenchTarget[] = [{ provider: gemini, changes: { fetchesImages: true, wires } }];
    const image = { type: 'image', source: { type: 'url', url: URL_A } };
    const body = { max_tokens: 9, messages: [{ role: 'user', content: [image] }] };
    for (const more of [[], [{ provider: anthropic, name: 'other', keys: ['second'] }]]) {
      const { bench, transport, asked } = setUp([...targets, ...more]);
      const message = bench.chat(body, { operation: 'messages' });
      const call = await transport.call();
      expect(asked).toEqual(more.length === 0 ? [URL_A] : []);
      expect(JSON.stringify(call.json)).toContain(more.length === 0 ? PIXEL.toString('base64') : URL_A);
      message.reply.leave();
      await message.done;
    }
  });

  test('are not fetched where the provider does not say so', async () => {
    const { bench, transport, asked } = setUp([{ provider: gemini }]);
    const chat = bench.chat(look(URL_A));
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'unsupported_value' });
    expect(asked).toEqual([]);
    expect(transport.calls).toEqual([]);
  });

  test('are left where the vendor opens the address itself, or the picture is there already', async () => {
    const { bench, transport, asked } = setUp();
    const chat = bench.chat(look('https://generativelanguage.googleapis.com/v1beta/files/abc', DATA));
    await transport.call();
    expect(asked).toEqual([]);
    chat.reply.leave();
    await chat.done;
  });

  test('that cannot be had are an error that names them, before anything is queued', async () => {
    const { bench, transport } = setUp([GEMINI], lost);
    const chat = bench.chat(look(URL_A));
    await chat.done;
    expect(chat.error).toMatchObject({
      code: 'invalid_image_url',
      details: { param: 'messages[0].content[1].image_url' },
      message: expect.stringContaining('it is lost'),
    });
    expect(transport.calls).toEqual([]);
    expect(bench.booked()).toBe(0);
  });

  test('that cannot be had are left to a target that opens addresses', async () => {
    const { bench, transport } = setUp([GEMINI, { name: 'other', keys: ['second'] }], lost);
    const chat = bench.chat(look(URL_A));
    const call = await transport.call();
    expect(JSON.stringify(call.json)).toContain(URL_A);
    chat.reply.leave();
    await chat.done;
  });

  test('are not more than fifty', async () => {
    const { bench, asked } = setUp();
    const chat = bench.chat(look(...Array.from({ length: 51 }, (_, index) => `https://pictures.example/${index}`)));
    await chat.done;
    expect(chat.error).toMatchObject({
      code: 'invalid_image_url',
      details: { param: 'messages[0].content[51].image_url' },
    });
    expect(asked).toEqual([]);
  });

  test('are fetched four at a time', async () => {
    const waiting: (() => void)[] = [];
    const { bench, transport, asked } = setUp([GEMINI], async () => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return { mediaType: 'image/png', bytes: PIXEL };
    });
    const chat = bench.chat(look(...Array.from({ length: 6 }, (_, index) => `https://pictures.example/${index}`)));
    expect(asked.length).toBe(4);
    while (waiting.length > 0) {
      waiting.shift()?.();
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await transport.call();
    expect(asked.length).toBe(6);
    chat.reply.leave();
    await chat.done;
  });

  test('are given up with the client', async () => {
    const { bench, transport } = setUp([GEMINI], (_url, { signal }) => {
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    });
    const chat = bench.chat(look(URL_A));
    chat.reply.leave();
    await chat.done;
    expect(bench.summary.status).toBe(499);
    expect(transport.calls).toEqual([]);
  });

  test('are not kept beyond the room that there is for bodies', async () => {
    const { bench } = setUp([GEMINI], (_url, { mayHold }) => {
      expect(mayHold(1)).toBe(true);
      return Promise.reject(Object.assign(new Error('no room'), { isForRoom: true }));
    });
    const chat = bench.chat(look(URL_A));
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'server_busy' });
  });
});

describe('replacing addresses', () => {
  const replace = (text: string): string =>
    replaceUrls(Buffer.from(text), new Map([['https://a/', 'data:x']])).toString();

  test.each([
    ['{"image_url":{"url":"https://a/"}}', '{"image_url":{"url":"data:x"}}'],
    ['{"image_url": "https://a/"}', '{"image_url": "data:x"}'],
    ['{"url"\n:\t"https:\\/\\/a\\/"}', '{"url"\n:\t"data:x"}'],
    ['{"text":"https://a/","n":12345678901234567890}', '{"text":"https://a/","n":12345678901234567890}'],
    ['{"text":"\\"url\\":","url":["https://a/"]}', '{"text":"\\"url\\":","url":["data:x"]}'],
    ['{"url":"https://b/"}', '{"url":"https://b/"}'],
    ['[]', '[]'],
  ])('makes of %s', (text, expected) => {
    expect(replace(text)).toBe(expected);
  });

  test('changes nothing else', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(replaceUrls(Buffer.from(text), new Map([['https://nowhere/', 'x']])).toString()).toBe(text);
      }),
    );
  });
});
