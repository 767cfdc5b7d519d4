import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SavedBooks } from '../../src/scheduler/limit-store.ts';
import { FileStore } from '../../src/state/file-store.ts';
import { MemoryStore } from '../../src/state/memory-store.ts';
import { FakeClock } from '../support/fake-clock.ts';

function booksOf(savedAtWallMs: number): SavedBooks {
  return { savedAtWallMs, isFinal: false, quotas: [] };
}

let folder: string;
let problems: string[];

function storeAt(path: string, instance = 'one', clock = new FakeClock()): FileStore {
  return new FileStore({ path, clock, instance, onProblem: (problem) => problems.push(problem) });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-state-'));
  problems = [];
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('FileStore', () => {
  it('gives back the books that were saved last', async () => {
    const path = join(folder, 'state.json');
    await storeAt(path).save(booksOf(1));
    await storeAt(path).save(booksOf(2));
    const { mtimeMs } = await stat(path);
    expect(await storeAt(path).load()).toEqual({ ...booksOf(2), aliveAtWallMs: mtimeMs });
    expect(problems).toEqual([]);
  });

  it('removes what a crash in the middle of a write has left, once nobody can be writing it', async () => {
    const path = join(folder, 'state.json');
    const clock = new FakeClock();
    const old = new Date(clock.wallNow() - 61_000);
    const now = new Date(clock.wallNow());
    for (const [name, at] of [
      ['state.json.new', old],
      ['state.json.1a2b.new', old],
      ['state.json.3c4d.new', now],
      ['other.json.new', old],
      ['state.json.bak', old],
    ] as const) {
      await writeFile(join(folder, name), '{"format":1,"boo');
      await utimes(join(folder, name), at, at);
    }
    expect(await storeAt(path, 'one', clock).load()).toBeNull();
    expect(await readdir(folder)).toEqual(['other.json.new', 'state.json.3c4d.new', 'state.json.bak']);
  });

  it('says once that somebody else writes the same file, whoever came first', async () => {
    const path = join(folder, 'state.json');
    const first = storeAt(path, 'first');
    const second = storeAt(path, 'second');
    await first.load();
    await first.save(booksOf(1));
    await second.load();
    await second.save(booksOf(2));
    expect(problems).toEqual([]);
    await first.save(booksOf(3));
    expect(problems).toEqual([expect.stringContaining('written by another process')]);
    await second.save(booksOf(4));
    expect(problems).toHaveLength(2);
    await first.save(booksOf(5));
    await second.save(booksOf(6));
    expect(problems).toHaveLength(2);
  });

  it('is whole whoever reads it while two write it at once', async () => {
    const path = join(folder, 'state.json');
    const stores = ['first', 'second'].map((instance) => storeAt(path, instance));
    const writing = stores.map(async (store, nth) => {
      for (let round = 0; round < 50; round += 1) await store.save(booksOf(nth * 100 + round));
    });
    let isWriting = true;
    const written = Promise.all(writing).finally(() => {
      isWriting = false;
    });
    while (isWriting) {
      const text = await readFile(path, 'utf8').catch(() => '{"format":1}');
      expect(JSON.parse(text)).toMatchObject({ format: 1 });
    }
    await written;
  });

  it('shows that it lived on while the disk was full', async () => {
    const path = join(folder, 'state.json');
    const clock = new FakeClock();
    const store = storeAt(path, 'one', clock);
    await store.save(booksOf(clock.wallNow()));
    // Stands in for a disk that takes no new file.
    await mkdir(`${path}.one.new`);
    clock.advance(90_000);
    await store.save(booksOf(clock.wallNow()));
    expect(problems).toEqual([expect.stringContaining("can't be written (EISDIR)")]);
    expect(await storeAt(path, 'two', clock).load()).toEqual({
      ...booksOf(clock.wallNow() - 90_000),
      aliveAtWallMs: clock.wallNow(),
    });
    await rm(`${path}.one.new`, { recursive: true });
    await store.save(booksOf(clock.wallNow()));
    expect(problems).toHaveLength(1);
  });

  it('leaves no half of a file behind when the disk is full', async () => {
    const path = join(folder, 'state.json');
    // A folder takes no file's name: the new one was written and can't take its place.
    await mkdir(path);
    await storeAt(path).save(booksOf(1));
    expect(problems).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('starts without books, and without a word, where there is no file yet', async () => {
    expect(await storeAt(join(folder, 'state.json')).load()).toBeNull();
    expect(problems).toEqual([]);
  });

  it('leaves a file that only its owner can read, and nothing beside it', async () => {
    const path = join(folder, 'state.json');
    await storeAt(path).save(booksOf(1));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('writes the newest of the books that come while a write is under way, and no older ones after it', async () => {
    const path = join(folder, 'state.json');
    const store = storeAt(path);
    await Promise.all([1, 2, 3, 4].map((savedAt) => store.save(booksOf(savedAt))));
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ books: booksOf(4) });
  });

  it.each([
    ['half of a file', '{"format":1,"boo'],
    ['another format', '{"format":2,"books":{"savedAtWallMs":1,"quotas":[]}}'],
    ['something else', '"hello"'],
    ['books without a time', '{"format":1,"books":{"quotas":[]}}'],
    ['no books at all', '{"format":1}'],
    ['nothing', 'null'],
    ['a quota that is none', '{"format":1,"books":{"savedAtWallMs":1,"isFinal":true,"quotas":[null]}}'],
  ])('starts without books, and says so, where it finds %s', async (_what, text) => {
    const path = join(folder, 'state.json');
    await writeFile(path, text);
    expect(await storeAt(path).load()).toBeNull();
    expect(problems).toEqual([expect.stringContaining('starting without')]);
  });

  it('says once that it cannot write, and again only after a write that worked', async () => {
    const path = join(folder, 'missing', 'state.json');
    const store = storeAt(path);
    await store.save(booksOf(1));
    await store.save(booksOf(2));
    expect(problems).toEqual([expect.stringContaining("can't be written (ENOENT)")]);

    await mkdir(join(folder, 'missing'));
    await store.save(booksOf(3));
    await rm(join(folder, 'missing'), { recursive: true });
    await store.save(booksOf(4));
    expect(problems).toHaveLength(2);
  });

  it('names the reason when the file cannot be read', async () => {
    expect(await storeAt(folder).load()).toBeNull();
    expect(problems).toEqual([expect.stringContaining('EISDIR')]);
  });
});

describe('MemoryStore', () => {
  it('gives back what was saved last, and nothing before', async () => {
    const store = new MemoryStore();
    expect(await store.load()).toBeNull();
    await store.save(booksOf(1));
    expect(await store.load()).toEqual(booksOf(1));
  });
});
