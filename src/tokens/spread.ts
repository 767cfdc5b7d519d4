const GOLDEN = 0.6180339887498949;

/**
 * A step for walking 0..length-1 as `at = (at + step) % length`: it reaches every index once, and wherever the walk is
 * broken off, what it has seen lies evenly over the whole. That makes a walk cut short by the clock a fair sample.
 */
export function spreadStep(length: number): number {
  let step = Math.max(1, Math.round(length * GOLDEN));
  while (greatestCommonDivisor(step, length) !== 1) step++;
  return step;
}

function greatestCommonDivisor(a: number, b: number): number {
  let [high, low] = [a, b];
  while (low > 0) [high, low] = [low, high % low];
  return high;
}
