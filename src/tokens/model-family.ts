import type { EncodingName } from './encoding.ts';
import type { ImageRule } from './image-tokens.ts';

/** What the name of a model says about how its input is counted. */
export interface ModelFamily {
  readonly encoding: EncodingName;
  /** The encoding is the model's own, as published. Otherwise counts are a likeness, which the learned factor corrects. */
  readonly isOwnEncoding: boolean;
  readonly images: ImageRule;
  /** What a function definition costs besides its text. */
  readonly functionTokens: number;
}

const tiles = (base: number, tile: number): ImageRule => ({ kind: 'tiles', base, tile });
const patches = (factor: number, maxPatches = 1536): ImageRule => ({ kind: 'patches', factor, maxPatches });
const area = (maxEdge: number, maxTokens: number): ImageRule => ({
  kind: 'area',
  pixelsPerToken: 750,
  maxEdge,
  maxTokens,
});

const COMMON_TILES = tiles(85, 170);
/** The newest models look at pictures without scaling them down; 12 million pixels were seen to cost 12,000 to 14,000. */
const LARGE_PATCHES = patches(1.2, 12_000);

/** Pictures by model name, the first that matches; the vendors' published rules, measured where they publish none. */
const IMAGE_RULES: readonly (readonly [RegExp, ImageRule])[] = [
  [/^gpt-4o-mini/, tiles(2833, 5667)],
  [/^gpt-(4\.1|5(\.\d+)?)-mini/, patches(1.62)],
  [/^gpt-(4\.1|5(\.\d+)?)-nano/, patches(2.46)],
  [/^o4-mini/, patches(1.72)],
  [/^gpt-(5\.([4-9]|\d\d)|[6-9])/, LARGE_PATCHES],
  [/^gpt-5/, tiles(70, 140)],
  [/^o[134](-|$)/, tiles(75, 150)],
  [/^computer-use/, tiles(65, 129)],
  [/^claude-(opus-4-[7-9]|[a-z]+-[5-9](-|$))/, area(2576, 4784)],
  [/^claude/, area(1568, 1600)],
  [/^gemini-[12]/, { kind: 'squares', tokens: 258, maxSquares: 16 }],
  [/^gemini/, { kind: 'flat', tokens: 1100 }],
];

const CL100K = /^(gpt-4(-|$)|gpt-3\.5|gpt-35|text-embedding-|babbage-002|davinci-002)/;
const HARMONY = /^gpt-oss/;
const O200K = /^(gpt-|chatgpt-|o\d|codex-|computer-use)/;

/**
 * The family of a model by its upstream name. A path before it (`openai/gpt-4o`) and the mark of a fine-tuned model
 * (`ft:gpt-4o-mini:acme`) do not matter; names that nobody knows count in o200k_base.
 */
export function familyOf(model: string): ModelFamily {
  const name = model
    .slice(model.lastIndexOf('/') + 1)
    .replace(/^ft:/, '')
    .toLowerCase();
  const images = IMAGE_RULES.find(([pattern]) => pattern.test(name))?.[1] ?? COMMON_TILES;
  if (HARMONY.test(name)) return { encoding: 'o200k_harmony', isOwnEncoding: true, images, functionTokens: 7 };
  if (CL100K.test(name)) return { encoding: 'cl100k_base', isOwnEncoding: true, images, functionTokens: 10 };
  return { encoding: 'o200k_base', isOwnEncoding: O200K.test(name), images, functionTokens: 7 };
}
