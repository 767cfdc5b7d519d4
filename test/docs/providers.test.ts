import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KEY_VARIABLES } from '../../src/config/environment.ts';
import { OPERATION_PATHS } from '../../src/http/routes/operation-paths.ts';
import { PROVIDER_TYPES } from '../../src/providers/registry.ts';
import { OPERATIONS } from '../../src/providers/wire.ts';
import { doorOf } from '../../src/proxy/doors/doors.ts';
import { CHAT_FIELDS, MESSAGE_FIELDS, type RequestField } from './request-fields.ts';
import { quoted, spelledOut, type Table, tablesUnder } from './tables.ts';
import {
  adapter,
  callOf,
  capWords,
  dayWords,
  endpointWord,
  headersRead,
  limitWords,
  missingOf,
  readingWords,
  sentFields,
  treatment,
} from './vendor-words.ts';

const page = readFileSync(new URL('../../docs/providers.md', import.meta.url), 'utf8');

function tableUnder(heading: string, index = 0): Table {
  const table = tablesUnder(page, heading)[index];
  if (table === undefined) throw new Error(`no table ${index} under "${heading}"`);
  return table;
}

/** Rows with the vendor's type first, as the code would write them. */
function rowsOf(types: readonly string[], wordsOf: (type: string) => readonly string[]): string[][] {
  return types.map((type) => [`\`${type}\``, ...wordsOf(type)]);
}

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

const passing = PROVIDER_TYPES.filter((type) => endpointWord(adapter(type), 'chat') === 'as is');

describe('docs/providers.md', () => {
  it('says how each vendor serves each endpoint', () => {
    const { head, rows } = tableUnder('## Endpoints');
    expect(head.slice(1)).toEqual([...OPERATIONS]);
    expect(rows).toEqual(rowsOf(PROVIDER_TYPES, (type) => OPERATIONS.map((each) => endpointWord(adapter(type), each))));
    expect(doorOf('count_tokens').fromEstimate).toBeDefined();
  });

  it('gives addresses, and the variables in which keys are found', () => {
    const variables = new Map([...KEY_VARIABLES].map(([variable, type]): [string, string] => [type, variable]));
    const inCode = rowsOf(PROVIDER_TYPES, (type) => {
      const { baseUrl } = adapter(type);
      const variable = variables.get(type);
      return [baseUrl === null ? 'yours' : `\`${baseUrl}\``, variable === undefined ? '' : `\`${variable}\``];
    });
    expect(tableUnder('## Endpoints', 1).rows).toEqual(inCode);
  });

  it('says what each vendor is probed with', () => {
    const inCode = rowsOf(PROVIDER_TYPES, (type) => {
      const { probe, baseUrl } = adapter(type);
      const ownPath = type === 'azure-openai' ? '' : '/v1';
      const basePath = baseUrl === null ? ownPath : new URL(baseUrl).pathname.replace(/\/$/, '');
      return [probe === null ? '' : `\`${probe.path(basePath, null)}\``, probe?.isCounted ? 'yes' : ''];
    });
    expect(tableUnder('## Probes').rows).toEqual(inCode);
  });

  it('says how limits are kept', () => {
    expect(tableUnder('## Limits').rows).toEqual(rowsOf(PROVIDER_TYPES, (type) => limitWords(adapter(type))));
  });

  it('says where a day is known to begin', () => {
    const known = PROVIDER_TYPES.flatMap((type) => {
      const day = dayWords(adapter(type));
      return day === null ? [] : [`${day} at \`${type}\``];
    });
    const told = [...page.matchAll(/\d\d:\d\d \S+ at `[a-z-]+`/g)].map(([match]) => match);
    expect(told.toSorted()).toEqual(known.toSorted());
  });

  it('names the vendors whose models share limits, with examples that do', () => {
    const { rows } = tableUnder('## Limits', 1);
    const families = rows.map(([, types = '', models = '']) => {
      const { familyOf } = adapter(quoted(types)[0] ?? '').limits;
      return new Set(quoted(models).map((model) => familyOf?.(model) ?? null));
    });
    expect(families.map((family) => family.size)).toEqual(rows.map(() => 1));
    expect(families.some((family) => family.has(null))).toBe(false);
    const named = new Set(rows.flatMap(([, types = '']) => quoted(types)));
    expect([...named]).toEqual(PROVIDER_TYPES.filter((type) => adapter(type).limits.familyOf !== undefined));
  });
});

describe('the headers on it', () => {
  const rows = tableUnder('## Headers that are read').rows.map(([types = '', names = '', tell = '']) => {
    return { types: quoted(types), names: quoted(names).flatMap(spelledOut), tell };
  });

  it('tell of what it says', () => {
    const wrong = rows.flatMap(({ types, names, tell }) =>
      types.map((type) => ({ type, names, tell, told: readingWords(adapter(type), names) })),
    );
    expect(wrong.filter(({ tell, told }) => tell !== told)).toEqual([]);
  });

  it.each(PROVIDER_TYPES)('are all that is read of %s', (type) => {
    const named = rows.filter(({ types }) => types.includes(type)).flatMap(({ names }) => names);
    expect(named.toSorted()).toEqual(headersRead(adapter(type)));
  });

  it('come from the vendors of which it says so', () => {
    const tellers = PROVIDER_TYPES.filter((type) => adapter(type).limits.hasHeaders);
    const named = new Set(rows.flatMap(({ types }) => types));
    expect(tellers.filter((type) => !named.has(type))).toEqual([]);
  });
});

describe.each([
  ['## Chats in another format', CHAT_FIELDS],
  ['## Messages to other vendors', MESSAGE_FIELDS],
])('its table under "%s"', (heading, fields) => {
  const { head, rows } = tableUnder(heading);
  const targets = head.slice(1).map(quoted);

  it('has every field once', () => {
    const named = rows.flatMap(([names = '']) => names.split(' · '));
    expect(named.toSorted()).toEqual(fields.map(({ name }) => name).toSorted());
  });

  it.each(targets)('says what becomes of each field at %s', (type, model) => {
    const column = targets.findIndex(([other]) => other === type) + 1;
    const told = rows.flatMap((row) => (row[0] ?? '').split(' · ').map((name) => `${name}: ${row[column]}`));
    const inCode = fields.map((field) => `${field.name}: ${treatment(type ?? '', model ?? '', field)}`);
    expect(told.toSorted()).toEqual(inCode.toSorted());
  });
});

describe('what it says of single vendors', () => {
  it('has a column or a row for each that takes chats', () => {
    const columns = tableUnder('## Chats in another format')
      .head.slice(1)
      .map((cell) => quoted(cell)[0]);
    expect(columns.toSorted()).toEqual(PROVIDER_TYPES.filter((type) => !passing.includes(type)).toSorted());
    const { rows } = tableUnder("## Vendors that speak OpenAI's format");
    expect(rows).toEqual(
      rowsOf(passing, (type) => {
        const missing = missingOf(adapter(type)).filter((capability) => capability !== 'n');
        const several = CHAT_FIELDS.find(({ name }) => name === '`n` above 1') as RequestField;
        return [
          capWords(adapter(type)),
          treatment(type, 'some-model', several),
          missing.map((capability) => `\`${capability}\``).join(' '),
        ];
      }),
    );
  });

  it('holds of the models that differ from the others', () => {
    const { rows } = tablesUnder(page, '## Chats in another format')[1] as Table;
    const told = rows.flatMap(([type = '', model = '', names = '', word = '']) =>
      names.split(' · ').map((name) => ({ type: quoted(type)[0] ?? '', model: quoted(model)[0] ?? '', name, word })),
    );
    const inCode = told.map(({ type, model, name }) => {
      const field = CHAT_FIELDS.find((each) => each.name === name) as RequestField;
      return { type, model, name, word: treatment(type, model, field) };
    });
    expect(told).toEqual(inCode);
  });

  it('counts right how many texts may be embedded at once', () => {
    const told = [...page.matchAll(/^## `([a-z-]+)`$[^#]*?^- Embeddings: at most (\d+) texts/gm)];
    expect(told.length).toBeGreaterThan(1);
    for (const [, type = '', most = ''] of told) {
      const refuses = (count: number) => {
        return adapter(type).wires.embeddings?.refuses?.({ input: Array(count).fill('a') }, 'some-model') ?? null;
      };
      expect({ type, most, isEnough: refuses(Number(most)), isTooMuch: refuses(Number(most) + 1) !== null }).toEqual({
        ...{ type, most, isEnough: null, isTooMuch: true },
      });
    }
  });

  it.each([
    ['anthropic', 'claude-sonnet-5', {}, { max_tokens: 21_333 }, 'at most 21,333 tokens'],
    ['anthropic', 'claude-haiku-4-5', { temperature: 1.8 }, { temperature: 1 }, 'Temperatures above 1 are 1'],
    ['cohere', 'command-a-03-2025', { top_p: 1 }, { p: 0.99 }, 'between 0.01 and 0.99'],
    ['cohere', 'command-a-03-2025', { presence_penalty: 2 }, { presence_penalty: 1 }, 'penalties between 0 and 1'],
    ['mistral', 'mistral-small-latest', { reasoning_effort: 'low' }, { reasoning_effort: 'high' }, 'is on or off'],
    ['openai', 'o3', { max_tokens: 9 }, { max_completion_tokens: 9 }, 'whichever name came'],
    ['together', 'some-model', { logprobs: true }, { logprobs: 1 }, '`logprobs` goes as a number'],
  ])('is right of %s, model %s: %j becomes %j', (...[type, model, fields, sent, words]) => {
    expect(page).toContain(words);
    expect(sentFields(adapter(type), model, fields)).toMatchObject(sent);
  });

  it('names the versions of the API that Azure is asked for', () => {
    const { wires } = adapter('azure-openai');
    const paths = [wires.chat, wires.responses].map((wire) => wire?.prepare(callOf('gpt-4o', {})).path ?? '');
    const versions = paths.map((path) => /api-version=(.+)$/.exec(path)?.[1] ?? path);
    expect(page).toContain(`\`${versions[0]}\`, for responses \`${versions[1]}\``);
  });
});

describe('the table of vendors in README.md', () => {
  const [vendors, endpoints] = tablesUnder(readme, '## Vendors and endpoints');

  it('has every type once', () => {
    const named = vendors?.rows.flatMap(([, types = '']) => quoted(types));
    expect(named?.toSorted()).toEqual([...PROVIDER_TYPES].toSorted());
  });

  it('is followed by every endpoint, said to be served by all only where it is', () => {
    const rows = endpoints?.rows.flatMap(([paths = '', by = '']) => quoted(paths).map((path) => ({ path, by })));
    for (const [operation, path] of OPERATION_PATHS) {
      const isByAll = PROVIDER_TYPES.every((type) =>
        ['as is', 'mapped'].includes(endpointWord(adapter(type), operation)),
      );
      const row = rows?.find((each) => each.path === `POST /v1${path}`);
      expect({ path, isByAll: row?.by === 'all of them' }).toEqual({ path, isByAll });
    }
  });
});
