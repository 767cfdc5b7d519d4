import { type ImageSize, imageSizeOf } from './image-size.ts';

/** How a family of models charges a picture. */
export type ImageRule =
  /** Within 2048 x 2048, the short side at most 768, then by tiles of 512 pixels. */
  | { readonly kind: 'tiles'; readonly base: number; readonly tile: number }
  /** By patches of 32 pixels, scaled down to at most `maxPatches`. */
  | { readonly kind: 'patches'; readonly factor: number; readonly maxPatches: number }
  /** By area, after the long edge is reduced. */
  | { readonly kind: 'area'; readonly pixelsPerToken: number; readonly maxEdge: number; readonly maxTokens: number }
  /** By squares of 768 pixels. */
  | { readonly kind: 'squares'; readonly tokens: number; readonly maxSquares: number }
  | { readonly kind: 'flat'; readonly tokens: number };

/** What a picture is taken for when only its address is known: 1,105 LLM tokens on the commonest tile rule. */
const UNKNOWN_SIZE: ImageSize = { width: 1536, height: 1024 };

const TILE_BOX = 2048;
const TILE_SHORT_SIDE = 768;
const TILE_EDGE = 512;
const PATCH_EDGE = 32;
const SQUARE_EDGE = 768;
/** `detail: low` shows the model a picture of 512 x 512. */
const LOW_DETAIL_PATCHES = 256;

/**
 * LLM tokens of one picture. The picture itself is never counted as text: 1 MB of base64 would look like 350,000.
 * `url` is what the client gave: a `data:` URL says its size in its first bytes, an address says nothing.
 */
export function imageTokens(rule: ImageRule, url: unknown, detail: unknown): number {
  const isLow = detail === 'low';
  const size = (typeof url === 'string' ? imageSizeOf(url) : null) ?? UNKNOWN_SIZE;
  switch (rule.kind) {
    case 'flat':
      return rule.tokens;
    case 'tiles':
      return rule.base + (isLow ? 0 : rule.tile * tilesOf(size));
    case 'patches':
      return Math.ceil(Math.min(patchesOf(size), isLow ? LOW_DETAIL_PATCHES : rule.maxPatches) * rule.factor);
    case 'squares':
      return rule.tokens * Math.min(rule.maxSquares, squaresOf(size));
    case 'area': {
      const scale = Math.min(1, rule.maxEdge / Math.max(size.width, size.height));
      return Math.ceil(Math.min(rule.maxTokens, (size.width * size.height * scale * scale) / rule.pixelsPerToken));
    }
  }
}

function tilesOf({ width, height }: ImageSize): number {
  const boxed = Math.min(1, TILE_BOX / Math.max(width, height));
  const scale = boxed * Math.min(1, TILE_SHORT_SIDE / (Math.min(width, height) * boxed));
  return Math.ceil((width * scale) / TILE_EDGE) * Math.ceil((height * scale) / TILE_EDGE);
}

function squaresOf({ width, height }: ImageSize): number {
  return Math.ceil(width / SQUARE_EDGE) * Math.ceil(height / SQUARE_EDGE);
}

function patchesOf({ width, height }: ImageSize): number {
  return Math.ceil(width / PATCH_EDGE) * Math.ceil(height / PATCH_EDGE);
}
