import { describe, expect, test } from 'vitest';
import { keptBy, looksKept, namesIn, referencesIn, resultsIn } from '../../../src/proxy/stored/stored-ids.ts';

describe('an id of something that an upstream keeps', () => {
  test.each([
    'resp_68f1c2d3e4',
    'file-abc123XYZ9',
    'file_011CNha8iCJcU1wXNR6q4V8w',
    'batch_6712ab34',
    'ftjob-abc123',
    '3f0c9a4e-1111-4222-8333-123456789abc',
  ])('looks like %s', (id) => expect(looksKept(id)).toBe(true));

  test.each(['files', 'file-search', 'batch', 'gpt-4o-2024-11-20', 'content', 'run-steps-all', 'v1', ''])(
    'does not look like %s',
    (text) => {
      expect(looksKept(text)).toBe(false);
    },
  );
});

describe('what a body refers to', () => {
  test.each([
    [{ previous_response_id: 'a' }, ['a']],
    [{ conversation: { id: 'b' } }, ['b']],
    [{ input_file_id: 'c', metadata: { note: 'd' } }, ['c']],
    [
      { input: [{ content: [{ type: 'input_file', file_id: 'e' }] }], tools: [{ vector_store_ids: ['f', 'g'] }] },
      ['e', 'f', 'g'],
    ],
    [{ previous_response_id: null, file_id: 7, id: 'own' }, []],
    ['text', []],
    [null, []],
  ])('is found in %j', (body, expected) => {
    expect(referencesIn(body).toSorted()).toEqual(expected);
  });
});

test('a body may be nested as deep as it likes', () => {
  let body: unknown = { file_id: 'a' };
  for (let depth = 0; depth < 200_000; depth += 1) body = [body];
  expect(referencesIn(body)).toEqual(['a']);
});

describe('what an answer says is kept', () => {
  test.each([
    [{ id: 'file-1' }, ['file-1']],
    [{ name: 'files/abc123' }, ['files/abc123']],
    [{ name: 'projects/p1/locations/l1/jobs/123456' }, ['jobs/123456']],
    [{ file: { name: 'files/abc123', uri: 'x' } }, ['files/abc123']],
    [{ type: 'response.completed', response: { id: 'resp_1' } }, ['resp_1']],
    [
      { id: 'batch_1', output_file_id: 'file-2', error_file_id: null, result_files: ['file-3', 4] },
      ['batch_1', 'file-2', 'file-3'],
    ],
    [{ id: 'x'.repeat(300) }, []],
    [{ id: 7 }, []],
    [[], []],
    [null, []],
    // Whoever names a thing may not take a path of the vendor's from everybody else.
    [{ id: 'vs_1a2b3c', name: 'files' }, ['vs_1a2b3c']],
    [{ id: 'responses' }, []],
    [{ id: 'v1' }, []],
    [{ name: 'v1/models' }, []],
  ])('is found in %j', (answer, expected) => {
    expect(keptBy(answer)).toEqual(expected);
  });

  test('beside it is nothing where there is no object', () => {
    expect(resultsIn(null)).toEqual([]);
  });
});

test('a path names its segments, each alone and as a thing of the kind that stands before it', () => {
  expect(namesIn(['v1beta', 'files', 'gpt-4o-2'])).toEqual([
    'v1beta',
    'files',
    'gpt-4o-2',
    'v1beta/files',
    'files/gpt-4o-2',
  ]);
  expect(namesIn([])).toEqual([]);
});
