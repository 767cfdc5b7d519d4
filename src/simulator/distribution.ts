/**
 * A random amount. A number is always itself. `lognormal` has a long tail: half of all draws lie below the median, and
 * with a sigma of 1 one in twenty beyond five times it.
 */
export type Distribution =
  | number
  | { readonly kind: 'uniform'; readonly min: number; readonly max: number }
  | { readonly kind: 'lognormal'; readonly median: number; readonly sigma: number; readonly max?: number | undefined };

/** Keeps the logarithm below finite. */
const LEAST_CHANCE = 1e-12;

/** Draws once. `random` gives numbers in [0, 1). */
export function draw(distribution: Distribution, random: () => number): number {
  if (typeof distribution === 'number') return distribution;
  if (distribution.kind === 'uniform') return distribution.min + random() * (distribution.max - distribution.min);
  const { median, sigma, max } = distribution;
  // Box and Muller's transform: two uniform draws make a normal one.
  const normal = Math.sqrt(-2 * Math.log(Math.max(LEAST_CHANCE, random()))) * Math.cos(2 * Math.PI * random());
  return Math.min(max ?? Number.POSITIVE_INFINITY, median * Math.exp(sigma * normal));
}
