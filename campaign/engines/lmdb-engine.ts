/**
 * lmdb as an Engine. It is no dependency of this repository: the first use installs it, without running its scripts, to a
 * folder that git ignores.
 */
import { join } from 'node:path'
import { installOnDemand, LMDB } from '../../tools/on-demand.ts'
import { repository } from '../places.ts'
import type { Engine, Level, Write } from './engine.ts'

const PEERS = repository('campaign', 'results', 'peers')

/** The part of lmdb's database that is used here. */
interface Lmdb {
  get(key: string): string | undefined
  put(key: string, value: string): Promise<boolean>
  remove(key: string): Promise<boolean>
  transaction(body: () => void): Promise<unknown>
  readonly flushed: Promise<unknown>
  getRange(range: { start?: string; end?: string }): Iterable<{ key: string; value: string }>
  close(): Promise<void>
}

export async function openLmdb(directory: string): Promise<Engine> {
  const db = loadLmdb().open({ path: join(directory, 'data.mdb'), encoding: 'string' })
  return {
    saidLoss: false,
    keepsOrder: true,
    write: async ({ puts, clear }: Write, level: Level) => {
      await db.transaction(() => {
        for (const key of clear?.keys ?? []) void db.remove(key)
        for (const [key, value] of puts) void db.put(key, value)
      })
      if (level === 'disk') await db.flushed
    },
    get: async (key) => db.get(key),
    async *entries(gte = '', lt) {
      // An empty key is none in lmdb.
      const range = lt === undefined ? {} : { end: lt }
      for (const { key, value } of db.getRange(gte === '' ? range : { ...range, start: gte })) yield [key, value]
    },
    close: () => db.close(),
  }
}

function loadLmdb(): { open(options: object): Lmdb } {
  return installOnDemand(PEERS, LMDB)('lmdb')
}

/** @throws PackageMissingError */
export function installLmdb(): void {
  installOnDemand(PEERS, LMDB)
}
