/**
 * What iterators, snapshots and clear hold on to, and let go of: tables that nobody needs any more are removed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { VarveLevel } from '../../src/level/varve-level.ts'

const KEYS = ['a', 'b', 'c', 'd', 'e']

const USES: readonly (readonly [what: string, use: (level: VarveLevel) => Promise<unknown>])[] = [
  [
    'an iterator that was closed on its way',
    async (level) => {
      const iterator = level.iterator()
      await iterator.next()
      await iterator.close()
    },
  ],
  [
    'an iterator that was sought with and closed',
    async (level) => {
      const iterator = level.keys()
      iterator.seek('c')
      await iterator.close()
    },
  ],
  ['an iterator that was read to its end', (level) => level.values().all()],
  [
    'a loop that was left',
    async (level) => {
      for await (const [key] of level.iterator()) if (key === 'b') break
    },
  ],
  ['a clear of everything', (level) => level.clear()],
  ['a clear of nothing', (level) => level.clear({ gt: 'x' })],
  ['a clear of the first ones', (level) => level.clear({ limit: 2 })],
  ['a clear of the last ones', (level) => level.clear({ limit: 2, reverse: true })],
  [
    'a clear of what a snapshot shows',
    async (level) => {
      const snapshot = level.snapshot()
      await level.clear({ snapshot })
      await snapshot.close()
    },
  ],
]

for (const [what, use] of USES) {
  test(`${what} keeps no table`, async () => {
    const environment = new MemoryEnvironment()
    const level = new VarveLevel('/db', { varve: { environment } })
    /** Write all keys, and merge all tables into one. */
    const rewrite = async (): Promise<number> => {
      await level.batch(KEYS.map((key) => ({ type: 'put', key, value: 'value' })))
      await level.compactRange('a', 'z')
      for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve))
      return environment.paths().filter((path) => path.endsWith('.ldb')).length
    }
    assert.equal(await rewrite(), 1)
    const open = level.iterator()
    await open.next()
    assert.equal(await rewrite(), 2, 'one that is open keeps its own')
    await open.close()
    assert.equal(await rewrite(), 1)
    await use(level)
    assert.equal(await rewrite(), 1)
    await level.close()
    assert.equal(environment.files.openCount, 0)
  })
}
