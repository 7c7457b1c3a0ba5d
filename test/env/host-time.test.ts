/** The clock and the timers of the host, while a test has put fake ones in their place. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Environment } from '../../src/base/environment.ts'
import { open } from '../../src/db/open.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { memoryEnvironment } from '../../src/env/web-env.ts'

const environments: [where: string, make: () => Environment][] = [
  ['on a disk', nodeEnvironment],
  ['in memory', memoryEnvironment],
]
for (const [where, makeEnvironment] of environments) {
  for (const workers of [0, 2]) {
    test(`a database ${where} with ${workers} workers goes on while timers and clock stand still`, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'varve-time-'))
      t.after(() => rmSync(directory, { recursive: true }))
      t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate', 'Date'] })
      t.mock.method(performance, 'now', () => 0)
      const environment = makeEnvironment()
      const options = { environment, workers, writeBufferBytes: 16 * 1024, durability: 'buffered' } as const
      const db = await open(join(directory, 'data'), options)
      for (let i = 0; i < 2000; i++) await db.put(`key${i}`, 'v'.repeat(50))
      await db.flush()
      await db.compactRange()
      let count = 0
      for await (const _ of db.keys()) count++
      await db.close()
      assert.equal(count, 2000)
    })
  }
}
