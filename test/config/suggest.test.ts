import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../../src/config/suggest.ts';

describe('the word that was meant', () => {
  it.each([
    ['opnai', 'openai'],
    ['openia', 'openai'],
    ['OpenAI', 'openai'],
    ['modles', 'models'],
    ['warning', 'warn'],
    ['head', 'headroom'],
  ])('%s is %s', (word, meant) => {
    expect(nearest(word, ['warn', 'models', 'openai', 'groq', 'headroom'])).toBe(meant);
  });

  it.each(['colour', 'x', '', 'y'.repeat(65)])('is not guessed for %j', (word) => {
    expect(nearest(word, ['models', 'openai', 'groq'])).toBeNull();
  });

  it('is asked for in words that can follow a sentence', () => {
    expect(didYouMean('opnai', ['openai'])).toBe(' Did you mean "openai"?');
    expect(didYouMean('colour', ['openai'])).toBe('');
  });
});
