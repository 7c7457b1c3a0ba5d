/**
 * The batches of the kill tests, which the program that writes them and the test that looks for them agree on.
 */

/** Every batch sets all of these to its number: a half one shows. */
export const COUNTERS: readonly string[] = ['a-counter', 'm-counter', 'z-counter']

export function digits(i: number): string {
  return String(i).padStart(8, '0')
}

/** The key that only batch `i` has; in order of `i`, between the first counter and the last. */
export function batchKey(i: number): string {
  return `batch/${digits(i)}`
}

/** From a few bytes to a few thousand, and different for every batch. */
export function batchValue(i: number): string {
  const length = i % 97 === 0 ? 5000 : (i * 7919) % 300
  return `${i}:`.padEnd(length, String.fromCharCode(97 + (i % 26)))
}
