/**
 * A table that was damaged on disk: whatever reads it is told so under classic-level's code, with varve's own error, which names the
 * file, as the cause.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CorruptionError } from '../../src/base/errors.ts'
import { VarveLevel } from '../../src/level/varve-level.ts'
import { codesOf, rejection, withDirectory } from './engines.ts'

const CALLS: readonly (readonly [what: string, call: (level: VarveLevel) => Promise<unknown>])[] = [
  ['get', (level) => level.get('k1')],
  ['getSync', async (level) => level.getSync('k1')],
  ['getMany', (level) => level.getMany(['k1', 'k2'])],
  ['has', (level) => level.has('k1')],
  ['hasMany', (level) => level.hasMany(['k1', 'k2'])],
  ['iterator.next', (level) => level.iterator().next()],
  ['iterator.nextv', (level) => level.iterator().nextv(10)],
  ['keys.all', (level) => level.keys().all()],
  ['values.all', (level) => level.values().all()],
  ['an iterator that seeks', (level) => sought(level)],
  ['clear', (level) => level.clear()],
  ['clear of a range', (level) => level.clear({ gte: 'k1', limit: 2 })],
  ['clear in reverse', (level) => level.clear({ reverse: true, limit: 1 })],
  ['clear of what a snapshot shows', (level) => level.clear({ snapshot: level.snapshot() })],
  ['compactRange', (level) => level.compactRange('k', 'l')],
]

async function sought(level: VarveLevel): Promise<unknown> {
  const iterator = level.iterator()
  iterator.seek('k2')
  return iterator.next()
}

/** A database of one table, whose only data block is not what was written. */
async function withDamage(use: (level: VarveLevel) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    const level = new VarveLevel(directory)
    await level.batch(['k1', 'k2', 'k3'].map((key) => ({ type: 'put', key, value: 'value' })))
    await level.close()
    const [table] = readdirSync(directory).filter((name) => name.endsWith('.ldb'))
    const path = join(directory, table)
    const bytes = readFileSync(path)
    bytes[5] ^= 1
    writeFileSync(path, bytes)
    const damaged = new VarveLevel(directory)
    await damaged.open()
    try {
      await use(damaged)
    } finally {
      await damaged.close()
    }
  })
}

describe('of a damaged table LEVEL_CORRUPTION is said', () => {
  for (const [what, call] of CALLS) {
    it(`by ${what}`, async () => {
      await withDamage(async (level) => {
        const error = await rejection(call(level))
        assert.deepEqual(codesOf(error), ['LEVEL_CORRUPTION', 'CORRUPTION'])
        assert.ok(error.cause instanceof CorruptionError)
        assert.match(String(error.cause.file), /\.ldb$/)
      })
    })
  }
})
