/**
 * KeySample: some keys of a MemTable at random, and numbers of keys, without looking at all of them.
 *
 * A sample is drawn in two steps: many descents by shares that are spread evenly with a random shift, and from where they end
 * as many as are wanted, with chances in proportion to their weights (memtable-rep.ts). Where branches have very uneven
 * numbers of keys below them, keys of the crowded ones are drawn too rarely: by how much is up to the number of descents.
 */
import type { Comparator } from '../base/comparator.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW } from '../base/internal-key.ts'
import { Prng } from '../base/prng.ts'
import type { Bytes } from '../base/types.ts'
import type { MemTableEntry } from './entry.ts'
import type { KeyDescent, MemTableIterator, MemTableRep } from './memtable-rep.ts'
import { entryAt, type NewestEntries } from './newest-entries.ts'

/** Descents for each key of a sample, and at least. */
const DESCENTS_A_KEY = 16
const DESCENTS_MIN = 256
/** Ranges of fewer keys are counted. */
const COUNTED_KEYS = 256

/** The newest version of up to `count` keys, in order, each key once. */
export function sampleEntries(
  descent: KeyDescent,
  at: NewestEntries,
  bytes: Bytes,
  keyCount: number,
  count: number,
  seed: number,
): MemTableEntry[] {
  if (!Number.isInteger(count) || count < 0)
    throw new InvalidArgumentError(`count must be an integer from 0, not ${String(count)}`)
  if (!Number.isInteger(seed)) throw new InvalidArgumentError(`seed must be an integer, not ${String(seed)}`)
  const entries: MemTableEntry[] = []
  if (count === 0) return entries
  if (count >= keyCount) {
    for (at.first(); at.valid; at.next()) entries.push(entryAt(at))
    return entries
  }
  for (const { offset, length } of drawKeys(descent, count, new Prng(seed))) {
    at.seek(bytes, offset, length)
    entries.push(entryAt(at))
  }
  return entries
}

interface Drawn {
  readonly offset: number
  readonly length: number
}

/** Keys of a sample, in order: descents by ascending shares end at ascending keys. */
function drawKeys(descent: KeyDescent, count: number, prng: Prng): Drawn[] {
  const descents = Math.max(DESCENTS_MIN, DESCENTS_A_KEY * count)
  const found: (Drawn & { readonly weight: number })[] = []
  let total = 0
  for (let i = 0; i < descents; i++) {
    const weight = descent.descend((i + fraction(prng)) / descents)
    if (weight === 0) continue
    found.push({ offset: descent.keyOff, length: descent.keyLen, weight })
    total += weight
  }
  const drawn: Drawn[] = []
  const step = total / count
  let next = fraction(prng) * step
  let passed = 0
  for (const key of found) {
    passed += key.weight
    if (passed <= next) continue
    if (drawn.at(-1)?.offset !== key.offset) drawn.push(key)
    while (next < passed) next += step
  }
  return drawn
}

/** At least 0 and less than 1. */
function fraction(prng: Prng): number {
  return prng.next32() / 2 ** 32
}

/** Keys from `start` to `end`, both inclusive, up to `most`. */
export function countKeys(
  at: MemTableIterator,
  comparator: Comparator,
  start: Bytes,
  end: Bytes,
  most: number,
): number {
  let count = 0
  at.seek(start, 0, start.length, MAX_TAG_LOW, MAX_TAG_HIGH)
  while (at.valid && count < most) {
    if (comparator.compare(at.keyBuf, at.keyOff, at.keyLen, end, 0, end.length) > 0) break
    count++
    at.nextKey()
  }
  return count
}

/** About as many: exact up to COUNTED_KEYS. */
export function estimateKeys(
  rep: MemTableRep,
  limit: number,
  comparator: Comparator,
  start: Bytes,
  end: Bytes,
  keyCount: number,
): number {
  const counted = countKeys(rep.iterator(limit), comparator, start, end, COUNTED_KEYS)
  if (counted < COUNTED_KEYS) return counted
  return Math.max(counted, Math.min(keyCount, Math.round(rep.estimate(start, end, limit))))
}
