/**
 * Random histories of writes to a MemTable, with a plain model beside it: for each key the list of its versions.
 */
import fc from 'fast-check'
import { type Bytes, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import type { MemTable } from '../../src/memtable/memtable.ts'
import { compareEntries, deleteEntry, type Entry, putEntry } from '../table/entries.ts'

/** Short, prefixing one another, with zero bytes, and alike in the 8 bytes that a node compares as words. */
const anyByte = fc.constantFrom(0, 1, 97, 127, 128, 255)
const anyShortKey = fc.array(anyByte, { maxLength: 3 })
const anyLongKey = fc
  .tuple(fc.constantFrom('same-8-b', 'same-8-bytes', '\0\0\0\0\0\0\0\0'), anyShortKey)
  .map(([start, rest]) => [...Buffer.from(start, 'latin1'), ...rest])

export const anyKey: fc.Arbitrary<Bytes> = fc
  .oneof(anyShortKey, anyLongKey, fc.array(anyByte, { minLength: 6, maxLength: 9 }))
  .map((bytes) => Uint8Array.from(bytes))

/** Writes in order, with ascending sequences. Several to a key are likely. */
export const anyHistory: fc.Arbitrary<readonly Entry[]> = fc
  .tuple(
    fc.uniqueArray(anyKey, { minLength: 1, maxLength: 25, selector: (key) => key.join() }),
    fc.array(fc.tuple(fc.nat(), fc.boolean(), fc.integer({ min: 0, max: 40 }), fc.constantFrom(1, 1, 1, 7, 2 ** 30)), {
      maxLength: 120,
    }),
  )
  .map(([keys, writes]) => {
    let sequence = 0
    return writes.map(([which, isPut, valueBytes, step]) => {
      sequence += step
      const key = keys[which % keys.length]
      return isPut ? putEntry(key, sequence, new Uint8Array(valueBytes).fill(sequence)) : deleteEntry(key, sequence)
    })
  })

export function addTo(table: MemTable, entry: Entry): void {
  const { key, value } = entry
  const type = entry.low & 0xff
  // Keys and values that do not start where their buffer does.
  const buffer = Uint8Array.of(255, ...key, 255, ...value)
  table.add(sequenceOf(entry), type, buffer, 1, key.length, buffer, key.length + 2, value.length)
}

export function sequenceOf({ low, high }: Entry): ReturnType<typeof sequenceNumber> {
  return sequenceNumber(high * 2 ** 24 + (low >>> 8))
}

/** As an iterator yields them. */
export function sorted(history: readonly Entry[]): Entry[] {
  return history.toSorted((a, b) => compareEntries(a, b))
}

/** The newest version of each key with a sequence of at most `sequence`, in key order. */
export function newestAt(history: readonly Entry[], sequence: number): Entry[] {
  const visible = sorted(history).filter((entry) => sequenceOf(entry) <= sequence)
  return visible.filter((entry, i) => i === 0 || Buffer.compare(entry.key, visible[i - 1].key) !== 0)
}

export function isDeletion(entry: Entry): boolean {
  return (entry.low & 0xff) === ValueType.DELETION
}
