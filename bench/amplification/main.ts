/**
 * What a load costs beside time: bytes written to tables, room on the disk, and reads after it, for varve and LevelDB in C++
 * (classic-level) with the same options: 4 MiB write buffer, tables of 2 MiB, no compression, 10 filter bits, 10 MiB in level 1.
 * The load: a million puts of random keys, then another million; 16-byte keys, 100-byte values, batches of 1000.
 *
 *   node .build/bench/amplification/main.js [entries]
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { Prng } from '../../src/base/prng.ts'
import { open, WriteBatch } from '../../src/public/index.ts'

const MIB = 1024 * 1024
const ENTRIES = Number(process.argv[2] ?? 1_000_000)
const BATCH = 1000
const READS = 100_000

interface Subject {
  write(keys: readonly Uint8Array[], value: Uint8Array): Promise<void>
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** Until nothing is compacted any more. */
  settle(): Promise<void>
  /** Bytes written to tables since the opening. */
  tableBytes(): number
  close(): Promise<void>
}

async function varve(directory: string): Promise<Subject> {
  const db = await open(directory, {
    writeBufferBytes: 4 * MIB,
    maxFileBytes: 2 * MIB,
    levelBytes: 10 * MIB,
    compression: 'none',
    blockCacheBytes: 8 * MIB,
  })
  return {
    write: (keys, value) => {
      const batch = new WriteBatch()
      for (const key of keys) batch.put(key, value)
      return db.write(batch)
    },
    get: (key) => db.get(key),
    settle: async () => {
      await db.flush()
      for (let idle = 0; idle < 10; idle = db.stats().isCompacting ? 0 : idle + 1) await pause(50)
    },
    tableBytes: () => db.stats().flushedBytes + db.stats().compactedBytes,
    close: () => db.close(),
  }
}

async function level(directory: string): Promise<Subject> {
  const db = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    writeBufferSize: 4 * MIB,
    maxFileSize: 2 * MIB,
    compression: false,
    cacheSize: 8 * MIB,
  })
  await db.open()
  const written = (): number => {
    // One line a level: number, files, size, seconds, MB read, MB written.
    const lines = db.getProperty('leveldb.stats').split('\n').slice(3)
    return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[5] ?? 0) * MIB, 0)
  }
  return {
    write: (keys, value) => db.batch(keys.map((key) => ({ type: 'put', key, value }))),
    get: (key) => db.get(key),
    settle: async () => {
      for (let idle = 0, last = -1; idle < 10; await pause(100)) {
        idle = written() === last ? idle + 1 : 0
        last = written()
      }
    },
    tableBytes: written,
    close: () => db.close(),
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}

function keyOf(number: number): Uint8Array {
  return Buffer.from(String(number).padStart(16, '0'))
}

function directoryBytes(directory: string): number {
  const names = readdirSync(directory).filter((name) => name.endsWith('.ldb'))
  return names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

async function measure(name: string, openSubject: (directory: string) => Promise<Subject>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-amplification-'))
  const prng = new Prng(1)
  const subject = await openSubject(directory)
  const mib = (bytes: number): string => (bytes / MIB).toFixed(0)
  try {
    for (const phase of ['fillrandom', 'overwrite']) {
      const startMs = performance.now()
      for (let i = 0; i < ENTRIES; i += BATCH) {
        const value = Uint8Array.from({ length: 100 }, () => prng.below(256))
        const keys = Array.from({ length: BATCH }, () => keyOf(prng.below(ENTRIES)))
        await subject.write(keys, value)
      }
      const seconds = (performance.now() - startMs) / 1000
      await subject.settle()
      const tables = mib(subject.tableBytes())
      console.log(
        `${name} ${phase}: ${seconds.toFixed(1)} s, ${tables} MiB of tables written so far, ${mib(directoryBytes(directory))} MiB kept`,
      )
    }
    const startMs = performance.now()
    for (let i = 0; i < READS; i++) await subject.get(keyOf(prng.below(ENTRIES)))
    console.log(`${name} readrandom: ${(((performance.now() - startMs) * 1000) / READS).toFixed(1)} µs`)
  } finally {
    await subject.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

await measure('varve', varve)
await measure('LevelDB', level)
