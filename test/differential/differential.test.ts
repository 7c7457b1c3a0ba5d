/**
 * One list of puts, deletes, range deletes, batches, snapshots, scans, compactions and reopenings, run by LevelDB and by varve
 * with very different options: there is one answer to it. VARVE_SEED repeats a run.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { nodeCodecs } from '../../src/env/node-codecs.ts'
import type { Options } from '../../src/public/index.ts'
import { contentIn, openLevel, withDirectory } from '../compat/engines.ts'
import { drawnOperations, type Operation } from './operations.ts'
import { Run } from './runner.ts'
import { LevelSubject, VarveSubject } from './subjects.ts'

const seed = Number(process.env.VARVE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const operations: readonly Operation[] = drawnOperations(new Prng(seed), 1500, 5)

const KIB = 1024
const tiny: Options = { writeBufferBytes: 4 * KIB, workers: 0 }
const manyTables: Options = { ...tiny, maxFileBytes: 4 * KIB, levelBytes: 4 * KIB, level0CompactionTrigger: 2 }
/** Each level holds one table, or is compacted. */
const oneFile: Options = { ...tiny, maxFileBytes: 1024 * KIB, levelBytes: 4 * KIB, level0CompactionTrigger: 1 }
const bytewise = { name: 'test.bytes', compare: (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b) }

const MEMORY: readonly (readonly [name: string, options: Options])[] = [
  ['the defaults, without workers', { workers: 0 }],
  ['a write buffer of 4 KiB', tiny],
  ['many small tables', manyTables],
  ['levels of one table', oneFile],
  ['blocks of one entry', { ...tiny, blockBytes: 1 }],
  ['blocks of one entry in small tables', { ...manyTables, blockBytes: 1, restartInterval: 1 }],
  ['blocks of 4 MiB', { ...tiny, blockBytes: 4096 * KIB }],
  ['every key a restart point', { ...manyTables, restartInterval: 1 }],
  ['one restart point a block', { ...manyTables, restartInterval: 1024 }],
  ['no filter', { ...manyTables, bloomBitsPerKey: 0 }],
  ['a filter of one bit', { ...manyTables, bloomBitsPerKey: 1 }],
  ['filters in some levels', { ...oneFile, bloomBitsPerKey: [0, 10, 0, 4] }],
  ['no compression', { ...manyTables, compression: 'none' }],
  ['snappy in blocks of one entry', { ...oneFile, compression: 'snappy', blockBytes: 1 }],
  ['no block cache', { ...manyTables, blockCacheBytes: 0, maxOpenFiles: 16 }],
  ['a small block cache', { ...oneFile, blockCacheBytes: 16 * KIB, maxOpenFiles: 16 }],
  ['a skip list', { ...tiny, memtable: 'skiplist' }],
  ['a skip list and small tables', { ...manyTables, memtable: 'skiplist' }],
  ['checksums in memory', { ...manyTables, memtableChecksums: true }],
  ['checksums in memory, in a skip list', { ...oneFile, memtableChecksums: true, memtable: 'skiplist' }],
  ['a comparator of its own', { ...manyTables, comparator: bytewise }],
  ['seek compactions', { ...manyTables, bloomBitsPerKey: 0, seekCompaction: true }],
  [
    'no compaction of level 0 by itself',
    { ...tiny, level0CompactionTrigger: 1000, level0SlowdownTrigger: 1000, level0StopTrigger: 1000 },
  ],
  ['no markers, and a buffered log', { ...manyTables, walMarkers: false, durability: 'buffered' }],
  ['synced writes', { ...tiny, durability: 'disk' }],
]

const codecs = nodeCodecs().zstd === undefined ? (['none'] as const) : (['none', 'zstd'] as const)

const THREADS: readonly (readonly [name: string, options: Options])[] = [
  ['the defaults', {}],
  ['one worker', { ...manyTables, workers: 1 }],
  ['two workers', { ...manyTables, workers: 2 }],
  ['two workers, levels of one table, blocks of one entry', { ...oneFile, workers: 2, blockBytes: 1 }],
  ['no worker', { ...manyTables, workers: 0 }],
  ...codecs.map((compression) => [`two workers, ${compression}`, { ...manyTables, workers: 2, compression }] as const),
]

let known: Promise<readonly string[]> | undefined

/** LevelDB's. */
function expected(): Promise<readonly string[]> {
  known ??= new Promise((resolve, reject) => {
    withDirectory(async (directory) => resolve(await new Run(new LevelSubject(directory)).run(operations))).catch(
      reject,
    )
  })
  return known
}

function assertSameAnswers(actual: readonly string[], correct: readonly string[]): void {
  const at = correct.findIndex((line, i) => line !== actual[i])
  if (at >= 0) assert.fail(`LevelDB answers\n  ${correct[at]}\nvarve\n  ${actual[at]}`)
  assert.equal(actual.length, correct.length)
}

test(`LevelDB's answers are worth comparing with (VARVE_SEED=${seed})`, async () => {
  const answers = await expected()
  assert.ok(answers.length > 200, `${answers.length} answers`)
  for (const type of ['get', 'scan', 'stepScan', 'reopened']) {
    assert.ok(
      answers.some((line) => line.includes(type) && line.includes('=') === (type !== 'get')),
      type,
    )
  }
})

for (const [name, options] of MEMORY) {
  test(`in memory, with ${name}, answers are LevelDB's (VARVE_SEED=${seed})`, async () => {
    const subject = new VarveSubject('/db', { ...options, environment: new MemoryEnvironment() })
    assertSameAnswers(await new Run(subject).run(operations), await expected())
  })
}

for (const [name, options] of THREADS) {
  test(`on files, with ${name}, answers are LevelDB's, and so is what stays (VARVE_SEED=${seed})`, async () => {
    await withDirectory(async (directory) => {
      const correct = await expected()
      assertSameAnswers(await new Run(new VarveSubject(directory, options)).run(operations), correct)
      if (options.compression === 'zstd') return
      const left = (await contentIn(openLevel, directory)).map((line) => line.replace(' = ', '='))
      assert.equal(`in the end: ${left.join(' ')}`, correct.at(-1))
    })
  })
}
