/**
 * The edit that puts a compaction's outputs in place of its inputs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { encodeInternalKey, tagHigh, tagLow } from '../../src/base/internal-key.ts'
import { fileNumber } from '../../src/base/types.ts'
import { compactionEdit } from '../../src/db/background/compaction-plans.ts'
import type { Compaction } from '../../src/version/compaction.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { Version } from '../../src/version/version.ts'

function table(number: number): FileMetadata {
  const bound = encodeInternalKey(new TextEncoder().encode(`k${number}`), 0, 2, tagLow(number, 1), tagHigh(number))
  return { number: fileNumber(number), bytes: 100, smallest: bound, largest: bound }
}

const [one, two, three] = [table(1), table(2), table(3)]
const version = new Version(bytewiseComparator, [[one], [two], [], [], [], [], []])
const compaction: Compaction = {
  reason: 'level0-tables',
  level: 0,
  outputLevel: 1,
  upper: [one],
  lower: [two],
  grandparents: [],
  isTrivialMove: false,
  pointer: { level: 0, key: one.largest },
  hint: undefined,
}

test('an edit deletes the inputs where they are, adds the outputs below, and moves the pointer', () => {
  assert.deepEqual(compactionEdit(version, compaction, [three]), {
    compactPointers: [{ level: 0, key: one.largest }],
    deletedFiles: [
      { level: 0, number: 1 },
      { level: 1, number: 2 },
    ],
    newFiles: [{ level: 1, file: three }],
  })
})

for (const [what, change] of [
  ['is gone', { upper: [three] }],
  ['is in another level', { upper: [two] }],
  ['below is gone', { lower: [three] }],
] as const) {
  test(`a compaction one of whose inputs ${what} is not installed`, () => {
    assert.throws(() => compactionEdit(version, { ...compaction, ...change }, []), /inputs of a compaction stay/)
  })
}
