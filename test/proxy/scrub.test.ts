import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScrub, cutClientText, upstreamErrorBody } from '../../src/proxy/scrub.ts';

const scrub = createScrub(['my/own+key=1234', 'my/own+key=1234-longer', 'none', 'plain-secret-1']);

describe('scrubbing', () => {
  it.each([
    ['a registered key', 'got my/own+key=1234!', 'got [secret]!'],
    ['a longer one that begins alike', 'got my/own+key=1234-longer', 'got [secret]'],
    ['its form in a URL', 'at ?key=my%2Fown%2Bkey%3D1234', 'at ?key=[secret]'],
    ['a key nobody registered', 'provided: sk-proj-AbCd1234efgh.', 'provided: [secret].'],
    ['a key that the vendor has masked', 'provided: sk-abc***wxyz. You', 'provided: [secret]. You'],
    ['a key masked to its tail', 'provided: sk-****************wxyz', 'provided: [secret]'],
    ['a bearer token', 'header "Authorization: Bearer abc.def-123"', 'header "Authorization: [secret]"'],
    ['an organisation', 'in organization org-AbC123xyz on tokens', 'in organization [organization] on tokens'],
    ['an organisation of Groq', 'organization `org_01hx9abc` service', 'organization `[organization]` service'],
    ['a project', 'Project `proj_AbC123` does not', 'Project `[project]` does not'],
    ['a team', 'Your team 0f1e2d3c-aaaa-bbbb-cccc-1234567890ab has', 'Your team [id] has'],
    ['a key of another vendor', `key gsk_${'a1'.repeat(20)}`, 'key [secret]'],
    ['a key of Google', `key AIza${'b2'.repeat(15)}`, 'key [secret]'],
  ])('removes %s', (_name, text, clean) => {
    expect(scrub(text)).toBe(clean);
  });

  it('leaves words alone that look like nothing secret', () => {
    const text = 'There is none. The org-chart asks the project about task-list and pplx-70b-online.';
    expect(scrub(text)).toBe(text);
  });

  it('leaves nothing of a registered key, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(scrub(`${before}plain-secret-1${after}`)).not.toContain('plain-secret-1');
      }),
    );
  });
});

describe('text of a client', () => {
  it('is cut to 100 characters', () => {
    expect(cutClientText('short')).toBe('short');
    expect(cutClientText('x'.repeat(101))).toBe(`${'x'.repeat(100)}…`);
    expect(cutClientText(`${'x'.repeat(99)}😀`).isWellFormed()).toBe(true);
  });
});

describe("an upstream's error for a client", () => {
  it('has the four keys, each scrubbed', () => {
    const error = { message: 'key sk-abcdefgh12 is bad', type: 'org-AbC123xyz', param: null, code: 'c' };
    expect(upstreamErrorBody(error, scrub)).toEqual({
      error: { message: 'key [secret] is bad', type: '[organization]', param: null, code: 'c' },
    });
  });

  it('says something when the upstream did not', () => {
    const body = {
      message: expect.stringContaining('did not say why'),
      type: 'invalid_request_error',
      param: null,
      code: null,
    };
    expect(upstreamErrorBody(null, scrub)).toEqual({ error: body });
    expect(upstreamErrorBody({ message: '', type: '', param: '', code: '' }, scrub)).toEqual({ error: body });
  });

  it('is a message and not a book', () => {
    const { error } = upstreamErrorBody({ message: 'x'.repeat(60_000), type: null, param: null, code: null }, scrub);
    expect(error.message).toHaveLength(2_000);
  });
});
