/** The program's requests, as AsyncLocalStorage tells them apart: what a database does for all of them is done in none. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { open } from '../../src/db/open.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'

test('what threads have done is reported in no request, whichever was the first to need them', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-requests-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const requests = new AsyncLocalStorage<number>()
  // A rotation takes answers that have come in by hand, in its write's request: there is none here while they are waited for.
  const db = await open(join(directory, 'data'), { mergeAtRest: false })
  const reported: string[] = []
  db.on('flush', () => reported.push(`flush in ${requests.getStore()}`))
  db.on('compaction', ({ phase }) => phase === 'end' && reported.push(`compaction in ${requests.getStore()}`))
  for (const request of [1, 2]) {
    await requests.run(request, async () => {
      for (const value of ['old', 'new']) {
        await db.put('key', value)
        await db.flush()
      }
      await db.compactRange()
      assert.equal(requests.getStore(), request)
    })
  }
  await db.close()
  assert.deepEqual([...new Set(reported)], ['flush in undefined', 'compaction in undefined'])
})

test('a timer goes off in no request, whichever set it', async () => {
  const requests = new AsyncLocalStorage<number>()
  const environment = nodeEnvironment()
  const found = await new Promise((resolve) => {
    requests.run(1, () => environment.later(1, () => resolve(requests.getStore()), true))
  })
  assert.equal(found, undefined)
})
