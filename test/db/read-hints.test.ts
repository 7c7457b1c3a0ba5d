/** What reads notice: which hints there are, for how long, and who hears of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FileNumber, fileNumber } from '../../src/base/types.ts'
import { ReadHints } from '../../src/db/background/read-hints.ts'
import type { CompactionHint } from '../../src/version/compaction.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { bytesOf } from '../table/entries.ts'

const KIB = 1024

function table(number: number, bytes: number = KIB): FileMetadata {
  return { number: fileNumber(number), bytes, smallest: bytesOf(''), largest: bytesOf('') }
}

function miss(hints: ReadHints, file: FileMetadata, count: number): void {
  for (let i = 0; i < count; i++) hints.missed(file, 1)
}

function namesOf(hints: ReadHints): string[] {
  return hints.all.map((hint) =>
    hint.kind === 'seeks' ? `table ${hint.number}` : `from ${Buffer.from(hint.smallest)}`,
  )
}

for (const [bytes, misses] of [
  [KIB, 100],
  [16 * KIB * 100, 100],
  [16 * KIB * 101, 101],
] as const) {
  test(`a table of ${bytes} bytes is hinted at with the ${misses}th lookup in vain, once`, () => {
    let woken = 0
    const hints = new ReadHints(true, () => woken++)
    miss(hints, table(5, bytes), misses - 1)
    assert.deepEqual([namesOf(hints), woken, hints.takeNew()], [[], 0, false])
    miss(hints, table(5, bytes), 1)
    assert.deepEqual([namesOf(hints), woken, hints.takeNew(), hints.takeNew()], [['table 5'], 1, true, false])
    miss(hints, table(5, bytes), 200)
    assert.deepEqual([namesOf(hints), woken], [['table 5'], 1])
  })
}

test('who does not count lookups hears of none', () => {
  const hints = new ReadHints(false, () => assert.fail('nobody asked'))
  miss(hints, table(5), 200)
  assert.deepEqual([namesOf(hints), hints.takeNew()], [[], false])
})

test('a table that is gone takes its hint along, and what was counted; other hints stay', () => {
  const hints = new ReadHints(true, () => {})
  miss(hints, table(5), 100)
  miss(hints, table(6), 100)
  miss(hints, table(7), 99)
  hints.steppedOver(bytesOf('a'), bytesOf('b'))
  hints.forget(fileNumber(5))
  hints.forget(fileNumber(7))
  assert.deepEqual(namesOf(hints), ['table 6', 'from a'])
  // Numbers are not given twice: this tells only that nothing is kept of a table that is gone.
  miss(hints, table(7), 99)
  assert.deepEqual(namesOf(hints), ['table 6', 'from a'])
  miss(hints, table(7), 1)
  assert.deepEqual(namesOf(hints), ['table 6', 'from a', 'table 7'])
})

test('a range that is stepped over again is one hint, the newest; its keys are copies', () => {
  const hints = new ReadHints(true, () => assert.fail('a scan tells by itself'))
  const smallest = bytesOf('a')
  hints.steppedOver(smallest, bytesOf('b'))
  smallest[0]++
  hints.steppedOver(bytesOf('c'), bytesOf('d'))
  hints.steppedOver(bytesOf('a'), bytesOf('c'))
  hints.steppedOver(bytesOf('ab'), bytesOf('c'))
  assert.deepEqual(namesOf(hints), ['from c', 'from a', 'from ab'])
  assert.ok(hints.takeNew())
})

test('sixteen hints are kept, the newest; one that is followed is spent, and those that lead nowhere go together', () => {
  const hints = new ReadHints(true, () => {})
  for (let number = 1; number <= 20; number++) miss(hints, table(number), 100)
  assert.deepEqual(
    namesOf(hints),
    Array.from({ length: 16 }, (_, i) => `table ${i + 5}`),
  )
  hints.spend(undefined)
  assert.equal(hints.all.length, 16)
  hints.spend(hints.all[3])
  hints.spend({ kind: 'seeks', level: 1, number: 5 as FileNumber } satisfies CompactionHint)
  assert.equal(namesOf(hints).includes('table 8'), false)
  assert.equal(hints.all.length, 15)
  hints.clear()
  assert.deepEqual(hints.all, [])
})
