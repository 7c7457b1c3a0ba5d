import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commonPrefixLength } from '../../src/base/bytes.ts'
import { bytewiseComparator, type Comparator, customComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { CompactionInputs } from '../../src/jobs/compaction-inputs.ts'
import { type CompactionJob, runsOf } from '../../src/jobs/compaction-job.ts'
import type { OrderedCursor } from '../../src/table/ordered-cursor.ts'
import { bytesOf, compareEntries, describe, type Entry, putEntry } from '../table/entries.ts'
import { jobOf, placeTable, runCompactionJob } from './compactions.ts'

const REVERSE = customComparator({ name: 'reverse', compare: (a, b) => -Buffer.compare(a, b) })
const LETTERS = customComparator({
  name: 'letters',
  compare: (a, b) => Buffer.compare(Buffer.from(lowerCase(a)), Buffer.from(lowerCase(b))),
})

function lowerCase(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1').toLowerCase()
}

/** Keys that share much, begin one another, come in many versions, and may be empty or long. */
function drawKey(prng: Prng): Uint8Array<ArrayBuffer> {
  const start = ['', 'a', 'ab'.repeat(prng.below(40)), '\xff\xff'][prng.below(4)]
  const letters = Array.from({ length: prng.below(4) }, () => 'abAB\0\xff'[prng.below(6)])
  return Uint8Array.from(Buffer.from(start + letters.join(''), 'latin1'))
}

function drawRuns(prng: Prng, comparator: Comparator): Entry[][] {
  const runs: Entry[][] = Array.from({ length: 1 + prng.below(9) }, () => [])
  const count = runs.length + prng.below(150)
  for (let i = 0; i < count; i++) {
    const entry = putEntry(drawKey(prng), i + 1, bytesOf(`v${i}`.repeat(prng.below(3))))
    runs[i < runs.length ? i : prng.below(runs.length)].push(entry)
  }
  for (const run of runs) run.sort((a, b) => compareEntries(a, b, comparator))
  return runs
}

/** The last of the runs lies in the level below, in several tables, if there is more than one. */
function jobOfRuns(memory: MemoryEnvironment, prng: Prng, runs: readonly Entry[][], comparator: Comparator) {
  let number = 1
  const place = (entries: readonly Entry[]) => placeTable(memory, number++, entries, comparator)
  const upper = (runs.length > 1 ? runs.slice(0, -1) : runs).map(place)
  const lower: CompactionJob['lower'][number][] = []
  if (runs.length > 1) {
    const entries = [...runs[runs.length - 1]]
    while (entries.length > 0) lower.push(place(entries.splice(0, 1 + prng.below(20))))
  }
  return jobOf({ level: 0, upper, lower })
}

function entryOf({ keyBuf, keyLen, tagLow: low, tagHigh: high, valBuf, valOff, valLen, view }: OrderedCursor): Entry {
  const value = valBuf.slice(valOff, valOff + valLen)
  for (let i = 0; i < valLen; i++) assert.equal(view.getUint8(valOff + i), value[i])
  return { key: keyBuf.slice(0, keyLen), low, high, value }
}

for (const comparator of [bytewiseComparator, REVERSE, LETTERS]) {
  test(`up to nine runs come merged, and are told apart by their keys: ${comparator.name}`, () => {
    const seed = Number(process.env.VARVE_SEED ?? 31)
    for (let round = 0; round < 150; round++) {
      const prng = new Prng(seed + round)
      const runs = drawRuns(prng, comparator)
      const memory = new MemoryEnvironment()
      const job = jobOfRuns(memory, prng, runs, comparator)
      const inputs = new CompactionInputs(job.directory, memory, comparator, runsOf(job))
      const expected = runs.flat().sort((a, b) => compareEntries(a, b, comparator))
      inputs.begin()
      for (const [i, entry] of expected.entries()) {
        const where = `seed ${seed + round}, entry ${i} of ${expected.length}`
        assert.ok(inputs.valid, where)
        assert.equal(describe(entryOf(inputs.entry)), describe(entry), where)
        const { key } = entry
        const last = i === 0 ? undefined : expected[i - 1].key
        const isSame = last !== undefined && comparator.compare(last, 0, last.length, key, 0, key.length) === 0
        assert.equal(inputs.isNewKey, !isSame, where)
        const common = last === undefined ? 0 : commonPrefixLength(last, 0, last.length, key, 0, key.length)
        assert.equal(inputs.common, comparator === bytewiseComparator ? common : 0, where)
        inputs.next()
      }
      assert.ok(!inputs.valid)
      inputs.close()
    }
  })
}

for (const comparator of [bytewiseComparator, REVERSE]) {
  test(`an entry that several tables hold, as in a repaired database, is shown of each, that of the first run first: ${comparator.name}`, () => {
    for (let round = 0; round < 60; round++) {
      const prng = new Prng(round)
      const memory = new MemoryEnvironment()
      const keys = ['a', 'ab', 'b', 'ba'].map(bytesOf)
      const runs = Array.from({ length: 2 + prng.below(8) }, (_, run) =>
        keys
          .filter((_, i) => i === round % keys.length || prng.below(2) === 0)
          .map((key) => putEntry(key, 7, bytesOf(`of run ${run}`)))
          .sort((a, b) => compareEntries(a, b, comparator)),
      )
      const job = jobOfRuns(memory, prng, runs, comparator)
      const inputs = new CompactionInputs(job.directory, memory, comparator, runsOf(job))
      const shown: string[] = []
      for (inputs.begin(); inputs.valid; inputs.next())
        shown.push(`${inputs.isNewKey} ${describe(entryOf(inputs.entry))}`)
      // The sort is stable.
      const expected = runs.flat().sort((a, b) => compareEntries(a, b, comparator))
      const isNew = (at: number): boolean => at === 0 || Buffer.compare(expected[at - 1].key, expected[at].key) !== 0
      assert.deepEqual(
        shown,
        expected.map((entry, at) => `${isNew(at)} ${describe(entry)}`),
        `round ${round}`,
      )
      inputs.close()
    }
  })
}

test('a table that begins before the one before it in its run ends is damage, whatever the order', () => {
  const put = (key: string, sequence: number): Entry => putEntry(bytesOf(key), sequence, bytesOf('v'))
  const cases: readonly (readonly [Comparator, readonly Entry[], readonly Entry[]])[] = [
    [bytewiseComparator, [put('a', 1), put('c', 1)], [put('b', 1), put('d', 1)]],
    [bytewiseComparator, [put('a', 1), put('bc', 1)], [put('b', 1)]],
    [bytewiseComparator, [put('a', 1), put('b', 1)], [put('b', 2)]],
    [bytewiseComparator, [put('a', 1), put('b', 1)], [put('b', 1)]],
    [REVERSE, [put('d', 1), put('b', 1)], [put('c', 1)]],
    [REVERSE, [put('d', 1), put('b', 1)], [put('b', 1)]],
    [REVERSE, [put('d', 1), put('b', 1)], [put('b', 3)]],
  ]
  for (const [comparator, first, second] of cases) {
    for (const other of [put('a', 7), put('b', 7), put('z', 7)]) {
      const memory = new MemoryEnvironment()
      const upper = [placeTable(memory, 1, [other], comparator)]
      const lower = [placeTable(memory, 2, first, comparator), placeTable(memory, 3, second, comparator)]
      assert.throws(
        () => runCompactionJob(jobOf({ upper, lower }), memory, comparator),
        (error) => {
          assert.ok(error instanceof CorruptionError && error.message.includes('do not ascend'), `${error}`)
          assert.deepEqual([error.file, error.offset], ['/db/000003.ldb', 0])
          return true
        },
      )
    }
  }
})
