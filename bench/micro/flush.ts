/**
 * Flushes, whole: MemTables of 16-byte decimal keys at random and 100-byte values, each to a table. Real files, with their syncs.
 * Processor time is what says something on a machine that others use too.
 *
 *   node .build/bench/micro/flush.js [entries] [bloomBitsPerKey]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { tableName } from '../../src/base/filename.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { type FlushJob, runFlushJob } from '../../src/jobs/flush-job.ts'
import { MemTable } from '../../src/memtable/memtable.ts'

const MIB = 1024 * 1024
const KEY_BYTES = 16
const VALUE_BYTES = 100
const VALUES = 4096
const ROUNDS = 9

const entries = Number(process.argv[2] ?? 333_333)
const bloomBitsPerKey = Number(process.argv[3] ?? 10)
const environment = nodeEnvironment()
const directory = mkdtempSync(join(tmpdir(), 'varve-flush-'))
const prng = new Prng(1)

function filled(): MemTable {
  const table = MemTable.create({ capacityBytes: 256 * MIB })
  const key = new Uint8Array(KEY_BYTES)
  const values = Uint8Array.from({ length: VALUES * VALUE_BYTES }, () => prng.next32())
  for (let i = 0; i < entries; i++) {
    for (let j = 0; j < KEY_BYTES; j++) key[j] = 0x30 + prng.below(10)
    const at = (i % VALUES) * VALUE_BYTES
    table.add(sequenceNumber(i + 1), ValueType.VALUE, key, 0, KEY_BYTES, values, at, VALUE_BYTES)
  }
  table.freeze()
  return table
}

function measure(job: FlushJob): string {
  const cpu = process.cpuUsage()
  const startMs = environment.clock.monotonicMs()
  // Opened at the end, as a worker does.
  const { file } = runFlushJob(job, environment, bytewiseComparator, () => {})
  const ms = environment.clock.monotonicMs() - startMs
  const { user, system } = process.cpuUsage(cpu)
  environment.files.remove(join(directory, tableName(job.number)))
  const micros = (total: number): string => (total / entries).toFixed(3)
  return `${micros(ms * 1000)} µs an entry (${micros(user + system)} µs of processor time), ${((file?.bytes ?? 0) / MIB).toFixed(1)} MiB`
}

try {
  const job: FlushJob = {
    kind: 'flush',
    directory,
    number: fileNumber(1),
    memtable: filled().share(),
    below: [],
    format: { blockBytes: 4096, restartInterval: 16, bloomBitsPerKey, compression: 'none' },
    outlineBytesMax: 0,
  }
  for (let round = 0; round < ROUNDS; round++) console.log(measure(job))
} finally {
  rmSync(directory, { recursive: true, force: true })
}
