/**
 * Databases with a known history, for tests that damage them: what was written under every key, and what is there in the end.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import type { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { copyLive, openLevel, withDirectory } from '../compat/engines.ts'
import { DIRECTORY, type Directory, leftBy, openIn } from '../db/directories.ts'

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

/** Several overlapping tables in level 0, and a log. */
export async function madeByVarve(seed: number, count: number, flushEvery: number): Promise<Made> {
  const history = new History()
  const write = async (db: DB): Promise<void> => {
    let written = 0
    for (const [key, value] of randomWrites(new Prng(seed), count, 60, 60)) {
      if (value === undefined) await db.delete(key)
      else await db.put(key, value)
      history.add(key, value)
      if (++written % flushEvery === 0) await db.flush()
    }
  }
  return { name: `varve, seed ${seed}`, directory: await leftBy(write), history }
}

/** Tables in several levels, compacted, and a log; as a killed process leaves them. */
export async function madeByLevel(seed: number, count: number): Promise<Made> {
  const history = new History()
  const directory = new Map<string, Uint8Array<ArrayBuffer>>()
  const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)
  await withDirectory(async (outer) => {
    const path = join(outer, 'live')
    const level = await openLevel(path, { writeBufferBytes: 64 * 1024 })
    for (const [key, value] of randomWrites(new Prng(seed), count, 1500, 400)) {
      await level.write([value === undefined ? [text(key)] : [text(key), text(value)]])
      history.add(key, value)
    }
    // An orderly end: then nothing of a compaction under way is left behind.
    await level.close()
    copyLive(path, join(outer, 'copy'))
    for (const name of readdirSync(join(outer, 'copy'))) {
      if (!name.startsWith('LOG')) directory.set(name, new Uint8Array(readFileSync(join(outer, 'copy', name))))
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

export { DIRECTORY }
