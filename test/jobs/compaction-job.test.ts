/** Compactions: what they keep, where their outputs end, and that what fails leaves nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator, type Comparator, customComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { tableName } from '../../src/base/filename.ts'
import { tagSequence, tagType } from '../../src/base/internal-key.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { type CompactionJob, type CompactionResult, CompactionRun } from '../../src/jobs/compaction-job.ts'
import { tableOptions } from '../../src/jobs/table-options.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { FileNumbers } from '../../src/version/file-numbers.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { buildTable, bytesOf, compareEntries, deleteEntry, describe, type Entry, putEntry } from '../table/entries.ts'
import { drawnFile, drawnKey } from '../version/drawn-version.ts'
import {
  DIRECTORY,
  entriesOf,
  entryCount,
  FIRST_OUTPUT,
  FORMAT,
  jobOf,
  metadataOf,
  placeTable,
  runCompactionJob,
} from './compactions.ts'

function sequenceOf({ low, high }: Entry): number {
  return tagSequence(low, high)
}

/** Entries of a history: each sequence from `first` on puts or deletes a random key. */
function randomHistory(prng: Prng, first: number, count: number, keys: number): Entry[] {
  return Array.from({ length: count }, (_, i) => {
    const key = bytesOf(`key${String(prng.below(keys)).padStart(3, '0')}`)
    if (prng.below(3) === 0) return deleteEntry(key, first + i)
    return putEntry(key, first + i, bytesOf(`${first + i}`.padEnd(prng.below(60), '.')))
  })
}

const sorted = (entries: readonly Entry[]): Entry[] => [...entries].sort((a, b) => compareEntries(a, b))
const keyOf = ({ key }: Entry): string => Buffer.from(key).toString()

/** Place sorted entries as tables of up to `length` entries that keep the versions of a key together. */
function placeLevel(
  memory: MemoryEnvironment,
  numbers: FileNumbers,
  entries: readonly Entry[],
  length: number,
): FileMetadata[] {
  const tables: FileMetadata[] = []
  for (let begin = 0; begin < entries.length; ) {
    let end = Math.min(begin + length, entries.length)
    while (end < entries.length && keyOf(entries[end]) === keyOf(entries[end - 1])) end++
    tables.push(placeTable(memory, numbers.take(), entries.slice(begin, end)))
    begin = end
  }
  return tables
}

/** What each reader finds of each key, in words. */
function views(entries: readonly Entry[], readers: readonly number[]): string[] {
  const byKey = new Map<string, Entry[]>()
  for (const entry of sorted(entries)) byKey.set(keyOf(entry), [...(byKey.get(keyOf(entry)) ?? []), entry])
  return [...byKey].flatMap(([key, versions]) =>
    readers.flatMap((reader) => {
      const seen = versions.find((entry) => sequenceOf(entry) <= reader)
      return seen === undefined || tagType(seen.low) === ValueType.DELETION
        ? []
        : [`${key} at ${reader}: ${describe(seen)}`]
    }),
  )
}

/** What must hold of any outputs. @returns their entries */
function checkOutputs(memory: MemoryEnvironment, result: CompactionResult): Entry[] {
  const all: Entry[] = []
  for (const output of result.outputs) {
    const entries = entriesOf(memory, output.number)
    const { smallest, largest, number } = metadataOf(output.number, output.bytes, entries)
    const tombstones = entries.filter(({ low }) => tagType(low) === ValueType.DELETION)
    const statistics = {
      entries: entries.length,
      tombstones: tombstones.length,
      superseded: entries.filter((entry, i) => i > 0 && keyOf(entry) === keyOf(entries[i - 1])).length,
      newestTombstone: sequenceNumber(Math.max(0, ...tombstones.map(sequenceOf))),
    }
    assert.deepEqual(output, { number, bytes: output.bytes, smallest, largest, statistics })
    const file = memory.readAll(`${DIRECTORY}/${String(number).padStart(6, '0')}.ldb`)
    assert.deepEqual(file, buildTable(entries, tableOptions(FORMAT, bytewiseComparator, memory.codecs)))
    assert.equal(file.length, output.bytes)
    if (all.length > 0) assert.notEqual(keyOf(all[all.length - 1]), keyOf(entries[0]), 'a key is in one table')
    all.push(...entries)
  }
  assert.deepEqual(all, sorted(all))
  assert.equal(
    result.bytesWritten,
    result.outputs.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  return all
}

test('what every snapshot and every later reader sees is the same before and after, for random trees', () => {
  const seed = Number(process.env.VARVE_SEED ?? 20)
  for (let round = 0; round < 150; round++) {
    const prng = new Prng(seed + round)
    const memory = new MemoryEnvironment()
    const numbers = FileNumbers.startingAt(1)
    const keys = 1 + prng.below(60)
    const deeper = sorted(randomHistory(prng, 1, prng.below(60), keys))
    const lower = sorted(randomHistory(prng, 101, prng.below(200), keys))
    const flushes = Array.from({ length: 1 + prng.below(3) }, (_, i) =>
      sorted(randomHistory(prng, 301 + 100 * i, 1 + prng.below(100), keys)),
    )
    const level = prng.below(2)
    const length = 1 + prng.below(50)
    const deeperTables = placeLevel(memory, numbers, deeper, length)
    const lowerTables = placeLevel(memory, numbers, lower, length)
    const upperTables =
      level === 0
        ? flushes.map((entries) => placeTable(memory, numbers.take(), entries))
        : placeLevel(memory, numbers, sorted(flushes.flat()), length)
    const snapshots = [...new Set(Array.from({ length: prng.below(4) }, () => prng.below(650)))].sort((a, b) => a - b)
    const job = jobOf({
      level,
      upper: upperTables,
      lower: lowerTables,
      grandparents: deeperTables,
      deeper: prng.below(2) === 0 ? [deeperTables] : [[], deeperTables],
      snapshots: snapshots.map(sequenceNumber),
      numbers: numbers.share(),
      maxFileBytes: 200 + prng.below(3000),
    })
    const before = [...deeper, ...lower, ...flushes.flat()]
    const result = runCompactionJob(job, memory)
    const after = [...deeper, ...checkOutputs(memory, result)]
    const readers = [...snapshots, 10_000]
    assert.deepEqual(views(after, readers), views(before, readers), `seed ${seed + round}`)
    // Without anything deeper and without snapshots, each key is left once, and no tombstone.
    if (snapshots.length === 0 && deeper.length === 0) {
      assert.equal(new Set(after.map(keyOf)).size, after.length)
      assert.ok(after.every(({ low }) => tagType(low) === ValueType.VALUE))
    }
  }
})

test('a compaction of nothing but what may go writes no table', () => {
  const memory = new MemoryEnvironment()
  const upper = [placeTable(memory, 1, [deleteEntry(bytesOf('a'), 9)])]
  const lower = [placeTable(memory, 2, [putEntry(bytesOf('a'), 3, bytesOf('x'))])]
  const result = runCompactionJob(jobOf({ upper, lower }), memory)
  assert.deepEqual([result.outputs, result.bytesWritten], [[], 0])
  assert.equal(result.bytesRead, upper[0].bytes + lower[0].bytes)
  assert.deepEqual(memory.paths(), ['/db/000001.ldb', '/db/000002.ldb'])
})

test('all versions of a key are in one table, however many there are', () => {
  const memory = new MemoryEnvironment()
  const versions = Array.from({ length: 200 }, (_, i) => putEntry(bytesOf('b'), 300 - i, bytesOf('v'.repeat(50))))
  const upper = [
    placeTable(memory, 1, [
      putEntry(bytesOf('a'), 1, bytesOf('x')),
      ...versions,
      putEntry(bytesOf('c'), 2, bytesOf('y')),
    ]),
  ]
  const snapshots = versions.map((entry) => sequenceNumber(sequenceOf(entry))).reverse()
  const { outputs } = runCompactionJob(jobOf({ upper, snapshots, maxFileBytes: 500 }), memory)
  assert.deepEqual(
    outputs.map(({ number }) => entriesOf(memory, number).map(keyOf)),
    [['a', ...versions.map(() => 'b')], ['c']],
  )
})

test('an output ends where it would overlap more than ten full tables of the level below', () => {
  const memory = new MemoryEnvironment()
  const letters = [...'abcdefghijkl']
  const upper = [
    placeTable(
      memory,
      1,
      letters.map((letter) => putEntry(bytesOf(letter), 1, bytesOf('x'))),
    ),
  ]
  const grandparents = letters.map((letter, i) => ({ ...drawnFile(`${i + 10}[${letter}..${letter}#0]`), bytes: 4000 }))
  const { outputs } = runCompactionJob(jobOf({ upper, grandparents, maxFileBytes: 1000 }), memory)
  const split = outputs.map(({ number }) => entriesOf(memory, number).map(keyOf).join(''))
  // After a table has passed three of 4000 bytes, the sum is over 10 × 1000 bytes.
  assert.deepEqual(split, ['abc', 'def', 'ghi', 'jkl'])
})

test('an output passes ten full tables of the level below, and no byte more', () => {
  for (const [bytes, count] of [
    [10_240, 1],
    [10_241, 2],
  ]) {
    const memory = new MemoryEnvironment()
    const entries = [putEntry(bytesOf('x'), 1, bytesOf('v')), putEntry(bytesOf('y'), 1, bytesOf('v'))]
    const job = jobOf({ upper: [placeTable(memory, 1, entries)], grandparents: [drawnFile(`11[x..x#0]=${bytes}`)] })
    assert.equal(runCompactionJob(job, memory).outputs.length, count)
  }
})

test('grandparents that end before the first key count for nothing', () => {
  const memory = new MemoryEnvironment()
  const upper = [
    placeTable(
      memory,
      1,
      [...'xyz'].map((letter) => putEntry(bytesOf(letter), 1, bytesOf('v'))),
    ),
  ]
  // Up to 10240 bytes may be passed: those before x do not count, and y is not passed by itself.
  const grandparents = [drawnFile('10[a..b]=9000'), drawnFile('11[y..y#0]=2000')]
  assert.equal(runCompactionJob(jobOf({ upper, grandparents }), memory).outputs.length, 1)
})

test('a table is rewritten in place without the tombstones that nobody needs', () => {
  const memory = new MemoryEnvironment()
  const upper = [
    placeTable(memory, 1, [
      deleteEntry(bytesOf('a'), 5),
      putEntry(bytesOf('a'), 4, bytesOf('old')),
      putEntry(bytesOf('b'), 3, bytesOf('kept')),
      deleteEntry(bytesOf('c'), 9),
    ]),
  ]
  const job = jobOf({ level: 6, upper, snapshots: [sequenceNumber(7)] })
  const { outputs } = runCompactionJob(job, memory)
  assert.deepEqual(entriesOf(memory, outputs[0].number).map(describe), ['"b"#3=kept', '"c"#9 deleted'])
})

test('the order is the comparator’s', () => {
  const memory = new MemoryEnvironment()
  const comparator = customComparator({ name: 'reverse', compare: (a, b) => -Buffer.compare(a, b) })
  const table = (number: number, keys: string): FileMetadata =>
    placeTable(
      memory,
      number,
      [...keys].map((key) => putEntry(bytesOf(key), number, bytesOf('v'))),
      comparator,
    )
  const job = jobOf({ upper: [table(2, 'zxa')], lower: [table(1, 'yxb')] })
  const { outputs } = runCompactionJob(job, memory, comparator)
  assert.deepEqual(entriesOf(memory, outputs[0].number).map(describe), [
    '"z"#2=v',
    '"y"#1=v',
    '"x"#2=v',
    '"b"#1=v',
    '"a"#2=v',
  ])
})

test('an entry that two tables hold is written once', () => {
  const memory = new MemoryEnvironment()
  const entries = [putEntry(bytesOf('a'), 7, bytesOf('v')), putEntry(bytesOf('b'), 8, bytesOf('w'))]
  const upper = [placeTable(memory, 1, entries), placeTable(memory, 2, entries)]
  const { outputs } = runCompactionJob(jobOf({ level: 0, upper, snapshots: [sequenceNumber(3)] }), memory)
  assert.deepEqual(entriesOf(memory, outputs[0].number), entries)
})

/** A job of three tables, each of several blocks, and the memory that they are in. */
function someJob(prng: Prng): { memory: MemoryEnvironment; job: CompactionJob } {
  const memory = new MemoryEnvironment()
  const numbers = FileNumbers.startingAt(1)
  const upper = placeLevel(memory, numbers, sorted(randomHistory(prng, 200, 60, 40)), 30)
  const lower = placeLevel(memory, numbers, sorted(randomHistory(prng, 1, 60, 40)), 60)
  return { memory, job: jobOf({ upper, lower, snapshots: [sequenceNumber(100)], maxFileBytes: 1500 }) }
}

test('whichever call fails, the job fails with it, leaves no file and keeps none open', () => {
  const codes = ['EIO', 'ENOSPC'] as const
  let isDone = false
  for (let at = 0; !isDone; at++) {
    const { memory, job } = someJob(new Prng(3))
    const inputs = memory.paths()
    let isReached = false
    const environment = new FaultEnvironment(memory, {
      directory: DIRECTORY,
      countReads: true,
      faultAt: ({ index, op }) => {
        if (index !== at) return undefined
        isReached = true
        return op === 'append' ? { code: codes[at % 2], shortBytes: 7 } : { code: codes[at % 2] }
      },
    })
    let error: unknown
    try {
      runCompactionJob(job, environment)
    } catch (caught) {
      error = caught
    }
    const [failed] = environment.calls.slice(at)
    isDone = !isReached
    // A read that only looked ahead is made again, as small as it must be.
    if (isReached && error === undefined) assert.match(failed, /^read /)
    else if (isReached) {
      assert.equal((error as { code?: string }).code, 'IO_ERROR', failed)
      assert.deepEqual(memory.paths(), inputs, failed)
    }
    assert.deepEqual(stillOpen(environment.calls), [], failed)
  }
})

/** Paths that were opened or created more often than closed. */
function stillOpen(calls: readonly string[]): string[] {
  const open = new Map<string, number>()
  for (const call of calls) {
    const [op, path] = call.split(' ')
    if (op === 'open' || op === 'create') open.set(path, (open.get(path) ?? 0) + 1)
    if (op === 'close') open.set(path, (open.get(path) ?? 0) - 1)
  }
  // What failed to open is not open.
  return [...open]
    .filter(
      ([path, count]) =>
        count > 0 && calls.some((call) => call.startsWith(`read ${path}`) || call.startsWith(`append ${path}`)),
    )
    .map(([path]) => path)
}

test('outputs are durable when the result is there: each file synced once the next has ended, then the directory, once', () => {
  const { memory, job } = someJob(new Prng(4))
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const { outputs } = runCompactionJob(job, environment)
  assert.ok(outputs.length >= 2)
  const calls = environment.calls.filter((call) => /^(create|sync|close 0001|sync-dir)/.test(call))
  const name = (number: number): string => `${String(number).padStart(6, '0')}.ldb`
  const expected = outputs.flatMap(({ number }, i) => {
    const next = i + 1 < outputs.length ? [`create ${name(number + 1)}`] : []
    return [...next, `sync ${name(number)}`, `close ${name(number)}`]
  })
  assert.deepEqual(calls, [`create ${name(FIRST_OUTPUT)}`, ...expected, 'sync-dir'])
  assert.deepEqual(
    outputs.map(({ number }) => number),
    outputs.map((_, i) => FIRST_OUTPUT + i),
  )
})

test('inputs are read in few large reads', () => {
  const memory = new MemoryEnvironment()
  const many = Array.from({ length: 5000 }, (_, i) =>
    putEntry(bytesOf(`key${String(i).padStart(6, '0')}`), 1, bytesOf('v'.repeat(300))),
  )
  const upper = [placeTable(memory, 1, many)]
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY, countReads: true })
  runCompactionJob(jobOf({ upper, maxFileBytes: 10_000_000 }), environment)
  const reads = environment.calls.filter((call) => call.startsWith('read')).length
  // The end of the file, with footer, metaindex and index; then 1.6 MB by half a MiB.
  assert.ok(reads >= 5 && reads <= 7, `${reads} reads of ${upper[0].bytes} bytes`)
})

test('a flipped bit anywhere in an input is found, or was in its filter, which is not read', () => {
  const { memory, job } = someJob(new Prng(5))
  const wanted = runCompactionJob(job, memory).outputs.map(({ number }) => entriesOf(memory, number))
  const path = `${DIRECTORY}/000001.ldb`
  const sound = memory.readAll(path)
  let found = 0
  for (let at = 0; at < sound.length; at += 3) {
    const damaged = sound.slice()
    damaged[at] ^= 1 << (at & 7)
    memory.write(path, damaged)
    try {
      const { outputs } = runCompactionJob(job, memory)
      assert.deepEqual(
        outputs.map(({ number }) => entriesOf(memory, number)),
        wanted,
        `byte ${at}`,
      )
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error
      assert.ok(['CORRUPTION', 'NOT_SUPPORTED'].includes(error.code as string), `byte ${at}: ${error}`)
      assert.equal((error as CorruptionError).file, path)
      found++
    }
  }
  assert.ok(found > sound.length / 3 / 2, `${found} of ${sound.length / 3}`)
})

/** A table whose entries are in the order given: two sound tables' blocks, with an index that does not know. */
function placeUnsorted(memory: MemoryEnvironment, number: number, entries: readonly Entry[]): FileMetadata {
  const anyOrder = { ...bytewiseComparator, compare: (): number => -1 }
  const bytes = buildTable(entries, {
    ...tableOptions(FORMAT, anyOrder, memory.codecs),
    blockBytes: 100_000,
    filterPolicy: undefined,
  })
  memory.write(`${DIRECTORY}/${String(number).padStart(6, '0')}.ldb`, bytes)
  return metadataOf(number, bytes.length, sorted(entries))
}

test('an input whose entries do not ascend is damage, and says in which file and block', () => {
  const put = (key: string, sequence: number): Entry => putEntry(bytesOf(key), sequence, bytesOf('v'))
  const cases: readonly (readonly [string, readonly Entry[]])[] = [
    ['keys that descend', [put('a', 1), put('c', 1), put('b', 1)]],
    ['versions that ascend', [put('a', 1), put('b', 1), put('b', 2)]],
    ['an entry twice', [put('a', 1), put('b', 2), put('b', 2)]],
    ['a key that comes again', [put('b', 9), put('c', 1), put('b', 3)]],
  ]
  for (const [what, entries] of cases) {
    for (const others of [[], [put('a', 7), put('b', 1), put('b5', 1), put('z', 1)]]) {
      const memory = new MemoryEnvironment()
      const lower = [placeUnsorted(memory, 2, entries)]
      const upper = [placeTable(memory, 1, others.length > 0 ? sorted(others) : [put('A', 1)])]
      assert.throws(
        () => runCompactionJob(jobOf({ upper, lower, snapshots: [1, 2, 3, 9].map(sequenceNumber) }), memory),
        (error) => {
          assert.ok(error instanceof CorruptionError, `${what}: ${error}`)
          assert.deepEqual([error.file, error.offset], ['/db/000002.ldb', 0], what)
          return true
        },
      )
      assert.deepEqual(memory.paths(), ['/db/000001.ldb', '/db/000002.ldb'])
    }
  }
})

test('a missing input, one of another size and one without a table’s end are damage', () => {
  const memory = new MemoryEnvironment()
  const upper = [placeTable(memory, 1, [putEntry(bytesOf('a'), 1, bytesOf('v'))])]
  const [sound] = upper
  const expect = (file: FileMetadata, message: RegExp): void =>
    assert.throws(() => runCompactionJob(jobOf({ upper: [file] }), memory), { code: 'CORRUPTION', message })
  expect({ ...sound, number: drawnFile('7[a..b]').number }, /table is missing/)
  expect({ ...sound, bytes: sound.bytes + 1 }, /the MANIFEST says/)
  memory.write('/db/000001.ldb', new Uint8Array(sound.bytes))
  expect(sound, /not a table/)
})

test('a table under its old name is read', () => {
  const memory = new MemoryEnvironment()
  const upper = [placeTable(memory, 1, [putEntry(bytesOf('a'), 1, bytesOf('v'))])]
  memory.files.rename('/db/000001.ldb', '/db/000001.sst')
  assert.equal(entryCount(memory, runCompactionJob(jobOf({ upper }), memory).outputs), 1)
})

test('a large job takes several steps, and gives up between two without a trace', () => {
  const memory = new MemoryEnvironment()
  const many = Array.from({ length: 9000 }, (_, i) =>
    putEntry(bytesOf(`key${String(i).padStart(6, '0')}`), 1, bytesOf('v'.repeat(300))),
  )
  const job = jobOf({ upper: [placeTable(memory, 1, many)], maxFileBytes: 500_000 })
  const whole = new CompactionRun(job, memory, bytewiseComparator)
  let steps = 1
  while (whole.step()) {
    assert.equal(whole.result, undefined)
    steps++
  }
  assert.equal(steps, 3)
  assert.equal(whole.result?.outputs.length, 7)
  for (const { number } of whole.result?.outputs ?? []) memory.files.remove(`/db/000${number}.ldb`)

  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const aborted = new CompactionRun(job, environment, bytewiseComparator)
  assert.ok(aborted.step() && aborted.step())
  assert.ok(memory.paths().length > 2)
  aborted.abort()
  assert.deepEqual(memory.paths(), ['/db/000001.ldb'])
  assert.deepEqual(stillOpen(environment.calls), [])
})

test('keys of any length and values of none are carried over', () => {
  const memory = new MemoryEnvironment()
  const keys = ['', 'a'.repeat(63), 'a'.repeat(65), 'b'.repeat(40_000), 'c']
  const upper = [
    placeTable(
      memory,
      1,
      keys.map((key) => putEntry(bytesOf(key), 5, bytesOf(''))),
    ),
  ]
  const lower = [
    placeTable(
      memory,
      2,
      keys.map((key) => putEntry(bytesOf(key), 4, bytesOf('old'))),
    ),
  ]
  const { outputs } = runCompactionJob(jobOf({ upper, lower, maxFileBytes: 1e6 }), memory)
  assert.deepEqual(entriesOf(memory, outputs[0].number).map(keyOf), keys)
  assert.deepEqual(outputs[0].smallest, drawnKey('#5'))
})

test('compressed inputs are read, and outputs are compressed as the job says', () => {
  const memory = new MemoryEnvironment()
  const many = Array.from({ length: 200 }, (_, i) => putEntry(bytesOf(`key${1000 + i}`), 1, bytesOf('v'.repeat(200))))
  const plain = runCompactionJob(jobOf({ upper: [placeTable(memory, 1, many)], maxFileBytes: 1e6 }), memory)
  const format = { ...FORMAT, compression: 'snappy' } as const
  const packed = runCompactionJob(jobOf({ upper: plain.outputs, format, maxFileBytes: 1e6, ...after(200) }), memory)
  assert.ok(packed.bytesWritten < plain.bytesWritten / 2, `${packed.bytesWritten} of ${plain.bytesWritten}`)
  const again = runCompactionJob(jobOf({ upper: packed.outputs, maxFileBytes: 1e6, ...after(300) }), memory)
  for (const { outputs } of [packed, again]) assert.deepEqual(entriesOf(memory, outputs[0].number), many)
  assert.equal(again.bytesWritten, plain.bytesWritten)
})

/** Numbers that no other job of the test takes. */
function after(first: number): Pick<CompactionJob, 'numbers'> {
  return { numbers: FileNumbers.startingAt(first).share() }
}

/** A table's file is what a builder makes of its entries that is told nothing of what their keys have in common. */
function checkBuiltAnew(memory: MemoryEnvironment, number: number, comparator: Comparator): void {
  const file = memory.files.openRandomAccess(`${DIRECTORY}/${tableName(fileNumber(number))}`)
  const bytes = new Uint8Array(file.bytes)
  file.read(0, bytes, 0, bytes.length)
  file.close()
  const entries = entriesOf(memory, number)
  assert.deepEqual(bytes, buildTable(entries, tableOptions(FORMAT, comparator, memory.codecs)))
}

test('keys are shared with the one written before, whatever was left out between them, seed 5', () => {
  const prng = new Prng(5)
  for (let round = 0; round < 50; round++) {
    const memory = new MemoryEnvironment()
    const upper = placeLevel(memory, FileNumbers.startingAt(1), sorted(randomHistory(prng, 300, 200, 150)), 70)
    const lower = placeLevel(memory, FileNumbers.startingAt(50), sorted(randomHistory(prng, 1, 200, 150)), 70)
    const snapshots = round % 2 === 0 ? [] : [sequenceNumber(prng.below(400))]
    const { outputs } = runCompactionJob(jobOf({ upper, lower, snapshots }), memory)
    assert.ok(entryCount(memory, outputs) < entryCount(memory, [...upper, ...lower]))
    for (const { number } of outputs) checkBuiltAnew(memory, number, bytewiseComparator)
  }
})

test('of keys that the order takes for the same, each is written as it was spelled', () => {
  const memory = new MemoryEnvironment()
  const lowerCase = (key: Uint8Array): string => Buffer.from(key).toString().toLowerCase()
  const comparator = customComparator({
    name: 'letters',
    compare: (a, b) => Number(lowerCase(a) > lowerCase(b)) - Number(lowerCase(a) < lowerCase(b)),
  })
  const table = (number: number, keys: readonly string[]): FileMetadata =>
    placeTable(
      memory,
      number,
      keys.map((key) => putEntry(bytesOf(key), number, bytesOf('v'))),
      comparator,
    )
  const job = jobOf({
    upper: [table(2, ['ABC', 'abde'])],
    lower: [table(1, ['abc', 'ABDA'])],
    snapshots: [sequenceNumber(1)],
  })
  const { outputs } = runCompactionJob(job, memory, comparator)
  const entries = entriesOf(memory, outputs[0].number)
  assert.deepEqual(entries.map(describe), ['"ABC"#2=v', '"abc"#1=v', '"ABDA"#1=v', '"abde"#2=v'])
  checkBuiltAnew(memory, outputs[0].number, comparator)
})
