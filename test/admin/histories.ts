/**
 * Databases with a known history, for tests that damage them: what was written under every key, and what is there in the end.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verify } from '../../src/admin/verify.ts'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import type { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { openLevel, withDirectory } from '../compat/engines.ts'
import { type Directory, leftBy, openIn } from '../db/directories.ts'

/** A value, or undefined for none. */
type State = string | undefined

export class History {
  /** Key → all that was ever written under it, oldest first; a deletion is undefined. */
  readonly writes: Map<string, State[]> = new Map()

  add(key: string, value: State): void {
    const writes = this.writes.get(key)
    if (writes === undefined) this.writes.set(key, [value])
    else writes.push(value)
  }

  /** What is there in the end, as `key=value`, sorted. */
  content(): string[] {
    return [...this.writes]
      .filter(([, states]) => states.at(-1) !== undefined)
      .map(([key, states]) => `${key}=${states.at(-1)}`)
      .sort()
  }
}

export interface Made {
  readonly name: string
  readonly directory: Directory
  readonly history: History
}

function* randomWrites(prng: Prng, count: number, keys: number, valueBytes: number): Generator<[string, State]> {
  for (let i = 0; i < count; i++) {
    const key = `key/${String(prng.below(keys)).padStart(5, '0')}`
    yield [key, prng.below(6) === 0 ? undefined : `${i}:${'v'.repeat(prng.below(valueBytes))}`]
  }
}

/** So that every table that an edit has named is still there. */
const UNCOMPACTED = { level0CompactionTrigger: 500, level0SlowdownTrigger: 500, level0StopTrigger: 500 }

/** @param value undefined to delete the key */
async function write(db: DB, history: History, key: string, value: string | undefined): Promise<void> {
  if (value === undefined) await db.delete(key)
  else await db.put(key, value)
  history.add(key, value)
}

/** Several overlapping tables in level 0, and a log. */
export async function madeByVarve(seed: number, count: number, flushEvery: number): Promise<Made> {
  const history = new History()
  const fill = async (db: DB): Promise<void> => {
    let written = 0
    for (const [key, value] of randomWrites(new Prng(seed), count, 60, 60)) {
      await write(db, history, key, value)
      if (++written % flushEvery === 0) await db.flush()
    }
  }
  return { name: `varve, seed ${seed}`, directory: await leftBy(fill, UNCOMPACTED), history }
}

/** As madeByVarve, but with tables that were compacted over and over, in several levels. No key is deleted at either end. */
export async function madeWithCompactions(seed: number, count: number): Promise<Made> {
  const history = new History()
  const fill = async (db: DB): Promise<void> => {
    let written = 0
    for (const [key, value] of randomWrites(new Prng(seed), count, 60, 60)) {
      await write(db, history, key, value)
      if (++written % 50 > 0) continue
      for (const end of ['a', 'z']) {
        await write(db, history, end, `${written}`)
      }
      await db.flush()
    }
    await db.compactRange('key/00010', 'key/00020')
    await write(db, history, 'key/00001', 'in the log')
  }
  const small = { level0CompactionTrigger: 2, maxFileBytes: 4096, levelBytes: 4096 }
  return { name: `varve, compacted, seed ${seed}`, directory: await leftBy(fill, small), history }
}

/** Tables in several levels, compacted, and a log. */
export async function madeByLevel(seed: number, count: number): Promise<Made> {
  const history = new History()
  const directory = new Map<string, Uint8Array<ArrayBuffer>>()
  const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)
  await withDirectory(async (path) => {
    const writes = [...randomWrites(new Prng(seed), count, 1500, 400)]
    // The second opening leaves one log, with a few entries.
    for (const part of [writes.slice(0, -20), writes.slice(-20)]) {
      const level = await openLevel(path, { writeBufferBytes: 64 * 1024 })
      for (const [key, value] of part) {
        await level.write([value === undefined ? [text(key)] : [text(key), text(value)]])
        history.add(key, value)
      }
      await level.close()
    }
    // A close ends a compaction wherever it is; what it had made belongs to nobody.
    const { files } = await verify(path)
    for (const { name, isLive } of files) {
      if (isLive) directory.set(name, new Uint8Array(readFileSync(join(path, name))))
    }
  })
  return { name: `LevelDB, seed ${seed}`, directory, history }
}

/** All entries of the database in an environment, as `key=value`. */
export async function contentIn(memory: MemoryEnvironment): Promise<Map<string, string>> {
  const db = await openIn(memory, { createIfMissing: false })
  try {
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
    return new Map(Array.from(db.scanSync(), ([key, value]) => [text(key), text(value)]))
  } finally {
    await db.close()
  }
}
