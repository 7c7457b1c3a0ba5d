/**
 * The workload that deopt-guard watches: every hot path of the engine, round after round, in one thread: puts by putSync and in
 * groups, flushes and compactions, which run inline, with snappy, lookups of keys that are there and of others, scans both ways.
 * Arguments: rounds, directory.
 */
import { join } from 'node:path'
import { Prng } from '../../src/base/prng.ts'
import { type DB, open, WriteBatch } from '../../src/public/index.ts'
import { markRound } from './mark-round.ts'

const ENTRIES = 6000
const VALUE = new Uint8Array(100)
const MIB = 1024 * 1024

async function write(db: DB, keys: readonly Uint8Array[]): Promise<void> {
  const third = Math.floor(keys.length / 3)
  for (const key of keys.slice(0, third)) db.putSync(key, VALUE)
  let pending: Promise<void>[] = []
  for (const key of keys.slice(third, 2 * third)) {
    pending.push(db.put(key, VALUE))
    if (pending.length < 100) continue
    await Promise.all(pending)
    pending = []
  }
  await Promise.all(pending)
  const batch = new WriteBatch()
  for (const key of keys.slice(2 * third)) batch.put(key, VALUE)
  await db.write(batch)
}

function read(db: DB, keys: readonly Uint8Array[], missing: readonly Uint8Array[]): number {
  let found = 0
  for (const key of keys) if (db.getSync(key) !== undefined) found++
  for (const key of missing) if (db.getSync(key) !== undefined) found++
  return found
}

async function scan(db: DB, keys: readonly Uint8Array[]): Promise<number> {
  let entries = 0
  for (const [key] of db.scanSync()) entries += key.length
  for (const [key] of db.scanSync({ reverse: true })) entries += key.length
  for (const gte of keys.slice(0, 200)) for (const [key] of db.scanSync({ gte, limit: 10 })) entries += key.length
  for await (const [key] of db.scan()) entries += key.length
  return entries
}

/** A database whose newest part is in the MemTable, and the rest in tables. */
async function round(db: DB, prng: Prng, isLast: boolean): Promise<void> {
  for (let i = 0; i < VALUE.length; i++) VALUE[i] = prng.below(i < 50 ? 4 : 256)
  const keys = Array.from({ length: ENTRIES }, () =>
    new TextEncoder().encode(String(prng.below(1e9)).padStart(16, '0')),
  )
  const missing = keys.map((key) => key.with(15, 0x2e))
  await write(db, keys.slice(0, ENTRIES / 2))
  await db.flush()
  await write(db, keys.slice(ENTRIES / 2))
  if (read(db, keys, missing) !== keys.length) throw new Error('a key is missing')
  if ((await scan(db, keys)) === 0) throw new Error('a scan read nothing')
  // Of the tables that were read, none is left.
  if (isLast) await db.compactRange()
}

const [rounds, directory] = process.argv.slice(2)
const db = await open(join(directory, 'data'), { compression: 'snappy', levelBytes: MIB, workers: 0 })
const prng = new Prng(1)
for (let i = 0; i < Number(rounds); i++) {
  markRound(i)
  globalThis.gc?.()
  await round(db, prng, i % 2 === 1)
}
await db.close()
