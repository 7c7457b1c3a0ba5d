/**
 * The batches that the program to be killed writes, and that those who look afterwards expect.
 *
 * Batch i sets the counters to i, and adds a key of its own; and one to the scratch keys, which every fiftieth batch deletes
 * as a range instead.
 */
import type { Put, Write } from '../engines/engine.ts'

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

const SCRATCH_BATCHES = 50
export const SCRATCH = { start: 'scratch/', end: 'scratch0' } as const

function scratchKey(i: number): string {
  return `${SCRATCH.start}${digits(i)}`
}

export function makeBatch(i: number): Write {
  const puts: Put[] = [[batchKey(i), batchValue(i)], ...COUNTERS.map((counter): Put => [counter, digits(i)])]
  if (i % SCRATCH_BATCHES < SCRATCH_BATCHES - 1) return { puts: [...puts, [scratchKey(i), digits(i)]] }
  return { puts, clear: { ...SCRATCH, keys: scratchKeysAfter(i - 1) } }
}

/** The scratch keys that are there after batch `last`. */
export function scratchKeysAfter(last: number): string[] {
  const first = Math.floor((last + 1) / SCRATCH_BATCHES) * SCRATCH_BATCHES
  return Array.from({ length: last + 1 - first }, (_, i) => scratchKey(first + i))
}
