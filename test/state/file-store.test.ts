import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SavedBooks } from '../../src/scheduler/limit-store.ts';
import { FileStore } from '../../src/state/file-store.ts';
import { MemoryStore } from '../../src/state/memory-store.ts';

function booksOf(savedAtWallMs: number): SavedBooks {
  return { savedAtWallMs, isFinal: false, quotas: [] };
}

let folder: string;
let problems: string[];

function storeAt(path: string): FileStore {
  return new FileStore({ path, onProblem: (problem) => problems.push(problem) });
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
    expect(await storeAt(path).load()).toEqual(booksOf(2));
    expect(problems).toEqual([]);
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
