/**
 * A compaction, whole: 16-byte keys and 100-byte values in 64 MiB of tables: 16 MiB of level 0 in four tables that overlap
 * one another, over 48 MiB of level 1. Half of the newer entries overwrite an older one. Real files, with their syncs.
 * Processor time is what says something on a machine that others use too.
 *
 *   node .build/bench/micro/compaction.js [bloomBitsPerKey]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { tableName } from '../../src/base/filename.ts'
import { tagHigh, tagLow } from '../../src/base/internal-key.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { type CompactionJob, type CompactionResult, CompactionRun } from '../../src/jobs/compaction-job.ts'
import type { TableFormat } from '../../src/jobs/output-format.ts'
import { tableOptions } from '../../src/jobs/table-options.ts'
import { TableBuilder } from '../../src/table/table-builder.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { FileNumbers } from '../../src/version/file-numbers.ts'

const MIB = 1024 * 1024
const ENTRY_BYTES = 16 + 8 + 100
const OLD_ENTRIES = Math.floor((48 * MIB) / ENTRY_BYTES)
const NEW_ENTRIES = Math.floor((4 * MIB) / ENTRY_BYTES)
const ROUNDS = 7

const environment = nodeEnvironment()
const format: TableFormat = {
  blockBytes: 4096,
  restartInterval: 16,
  bloomBitsPerKey: Number(process.argv[2] ?? 10),
  compression: 'none',
}
const directory = mkdtempSync(join(tmpdir(), 'varve-compaction-'))
const numbers = FileNumbers.startingAt(1)
const prng = new Prng(1)

/** Tables of at most maxBytes, of keys that are these numbers. */
function writeTables(keys: readonly number[], sequence: number, maxBytes: number): FileMetadata[] {
  const value = Uint8Array.from({ length: 100 }, () => prng.next32())
  const tables: FileMetadata[] = []
  for (let next = 0; next < keys.length; ) {
    const number = numbers.take()
    const file = environment.files.createWritable(join(directory, tableName(number)))
    const builder = new TableBuilder(file, tableOptions(format, bytewiseComparator, environment.codecs))
    for (; next < keys.length && builder.fileBytes < maxBytes; next++) {
      const key = Buffer.from(String(keys[next]).padStart(16, '0'))
      builder.add(key, 0, 16, tagLow(sequence, ValueType.VALUE), tagHigh(sequence), value, 0, 100)
    }
    builder.finish()
    file.close()
    const { fileBytes: bytes, smallest, largest, statistics } = builder
    tables.push({ number, bytes, smallest, largest, statistics })
  }
  return tables
}

function someKeys(count: number): number[] {
  const keys = new Set<number>()
  while (keys.size < count) keys.add(prng.below(2 * OLD_ENTRIES))
  return [...keys].sort((a, b) => a - b)
}

function entryCount(tables: readonly FileMetadata[]): number {
  return tables.reduce((sum, { statistics }) => sum + (statistics?.entries ?? 0), 0)
}

function measure(job: CompactionJob): string {
  const cpu = process.cpuUsage()
  const startMs = environment.clock.monotonicMs()
  // Outputs are opened, as a worker does.
  const run = new CompactionRun(job, environment, bytewiseComparator, () => {})
  while (run.step());
  const result = run.result as CompactionResult
  const seconds = (environment.clock.monotonicMs() - startMs) / 1000
  const { user, system } = process.cpuUsage(cpu)
  for (const { number } of result.outputs) environment.files.remove(join(directory, tableName(number)))
  const mib = (bytes: number): string => (bytes / MIB / seconds).toFixed(0)
  const { outputs, bytesRead, bytesWritten } = result
  const entriesRead = entryCount([...job.upper, ...job.lower])
  return (
    `${(entriesRead / seconds / 1000).toFixed(0)} k entries/s, ${((seconds / entriesRead) * 1e6).toFixed(2)} µs an entry ` +
    `(${((user + system) / entriesRead).toFixed(2)} µs of processor time), ` +
    `${mib(bytesRead)} MiB/s read, ${mib(bytesWritten)} MiB/s written, ${entriesRead} → ${entryCount(outputs)} entries`
  )
}

try {
  const lower = writeTables(
    Array.from({ length: OLD_ENTRIES }, (_, i) => 2 * i),
    1,
    2 * MIB,
  )
  const upper = [2, 3, 4, 5].flatMap((sequence) => writeTables(someKeys(NEW_ENTRIES), sequence, 64 * MIB))
  const job: CompactionJob = {
    kind: 'compact',
    directory,
    level: 0,
    upper,
    lower,
    grandparents: [],
    deeper: [],
    snapshots: [],
    numbers: FileNumbers.startingAt(fileNumber(numbers.next)).share(),
    format,
    maxFileBytes: 2 * MIB,
    outlineBytesMax: 0,
  }
  for (let round = 0; round < ROUNDS; round++) console.log(measure(job))
} finally {
  rmSync(directory, { recursive: true, force: true })
}
