/**
 * background-child: varve's flushes and compactions, on its worker, for comparison with those of LevelDB in C++ on the same keys
 * and files. The worker sees its code once before the clock starts, on keys of a range of their own. Prints milliseconds.
 *
 *   background-child shape KEYFILE DIRECTORY      a database of half the keys in the lowest level, the others in three tables above
 *   background-child flush KEYFILE DIRECTORY      all keys in one MemTable, then that to a table
 *   background-child compact DIRECTORY            all of it to the lowest level
 *   background-child bare BYTES DIRECTORY         so many bytes with a checksum of each block, written and synced, as a floor
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32c } from '../../src/base/crc32c.ts'
import { type DB, open, WriteBatch } from '../../src/public/index.ts'
import { KeyFile } from '../memtable/key-file.ts'

const MIB = 1024 * 1024
const BUFFER_BYTES = 256 * MIB
const BATCH = 1000
const WARM_UP_ENTRIES = 20_000
const YOUNG_TABLES = 3
/** No compaction begins by itself, be it while the one to warm up takes its time. */
const LEVEL0_TABLES = {
  level0CompactionTrigger: 32,
  level0SlowdownTrigger: 64,
  level0StopTrigger: 96,
  mergeAtRest: false,
}
const BLOCK_BYTES = 4096
const WRITE_BYTES = 64 * 1024
/** Above all digits. */
const WARM_UP_PREFIX = 'w'

async function fill(db: DB, file: KeyFile, begin: number, limit: number): Promise<void> {
  const { added, values, valueBytes } = file
  for (let i = begin; i < limit; i += BATCH) {
    const batch = new WriteBatch()
    for (let j = i; j < Math.min(i + BATCH, limit); j++) {
      const offset = file.valueOffset(j)
      batch.put(
        added.bytes.subarray(added.offsets[j], added.offsets[j + 1]),
        values.subarray(offset, offset + valueBytes),
      )
    }
    await db.write(batch)
  }
}

async function warmUp(db: DB): Promise<void> {
  for (let table = 0; table < 2; table++) {
    const batch = new WriteBatch()
    for (let i = 0; i < WARM_UP_ENTRIES; i++) batch.put(`${WARM_UP_PREFIX}${(i * 7919) % 1e6}`, new Uint8Array(100))
    await db.write(batch)
    await db.flush()
  }
  await db.compactRange(WARM_UP_PREFIX, 'x')
}

async function shape(db: DB, file: KeyFile): Promise<void> {
  const half = file.added.count >> 1
  const part = Math.ceil((file.added.count - half) / YOUNG_TABLES)
  await fill(db, file, 0, half)
  await db.flush()
  await db.compactRange()
  for (let begin = half; begin < file.added.count; begin += part) {
    await fill(db, file, begin, Math.min(begin + part, file.added.count))
    await db.flush()
  }
}

async function timed(run: () => Promise<void>): Promise<void> {
  const startMs = performance.now()
  await run()
  console.log(JSON.stringify(performance.now() - startMs))
}

function bare(bytes: number, directory: string): void {
  const piece = new Uint8Array(WRITE_BYTES).fill(0x76)
  const file = openSync(join(directory, 'bare'), 'w')
  for (let written = 0; written < bytes; written += WRITE_BYTES) {
    for (let at = 0; at < WRITE_BYTES; at += BLOCK_BYTES) piece[at] ^= crc32c(piece, at, BLOCK_BYTES) & 1
    writeSync(file, piece)
  }
  fdatasyncSync(file)
  closeSync(file)
}

async function background(command: string, args: readonly string[]): Promise<void> {
  const options = { compression: 'none', writeBufferBytes: BUFFER_BYTES, ...LEVEL0_TABLES } as const
  const db = await open(args[args.length - 1], options)
  if (command === 'shape') await shape(db, KeyFile.read(args[0]))
  else await warmUp(db)
  if (command === 'flush') {
    const file = KeyFile.read(args[0])
    await fill(db, file, 0, file.added.count)
    await timed(() => db.flush())
  }
  if (command === 'compact') await timed(() => db.compactRange(undefined, WARM_UP_PREFIX))
  await db.close()
}

const [command, ...args] = process.argv.slice(2)
if (command === 'bare') {
  bare(WRITE_BYTES * 16, args[1])
  await timed(async () => bare(Number(args[0]), args[1]))
} else await background(command, args)
