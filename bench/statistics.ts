/**
 * Statistics of a few repeated measurements: the median, and the whole spread.
 */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @requires at least one number */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, min: sorted[0], max: sorted[sorted.length - 1] }
}

/** Spread of the quotients of numbers that were measured side by side. */
export function ratioOf(numerators: readonly number[], denominators: readonly number[]): Spread {
  return spreadOf(numerators.map((numerator, i) => numerator / denominators[i]))
}
