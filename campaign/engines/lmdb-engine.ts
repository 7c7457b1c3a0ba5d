/**
 * lmdb as an Engine. It is no dependency of this repository: the first use installs it, without running its scripts, to a
 * folder that git ignores.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { repository } from '../places.ts'
import type { Engine, Level, Write } from './engine.ts'

/** The version that figures are given for. */
const VERSION = '3.5.6'
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

/** It cannot be had here. */
export class PeerMissingError extends Error {}

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
  installLmdb()
  return createRequire(join(PEERS, 'package.json'))('lmdb')
}

/** @throws PeerMissingError */
export function installLmdb(): void {
  if (existsSync(join(PEERS, 'node_modules', 'lmdb', 'package.json'))) return
  mkdirSync(PEERS, { recursive: true })
  writeFileSync(join(PEERS, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', `lmdb@${VERSION}`]
  const { status, stderr } = spawnSync('npm', args, {
    cwd: PEERS,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new PeerMissingError(`lmdb ${VERSION} cannot be installed by npm: ${stderr}`)
}
