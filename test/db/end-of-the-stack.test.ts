/**
 * Programs that use up the stack within a call of the database, and go on: nothing that is acknowledged is lost, nobody waits in vain, and
 * what is left on disk opens. On a real stack: at its end, V8 cannot even compile what has not run before.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { directoryOf, environmentOf, openIn } from './directories.ts'

/** Call `work` deeper and deeper, from a depth that differs from run to run, until the stack ends. */
function toTheEnd(work: (depth: number) => void, offset: number): void {
  const walk = (depth: number): void => {
    work(depth)
    walk(depth + 1)
  }
  const padded = (left: number): void => (left === 0 ? walk(0) : padded(left - 1))
  // What the end is told as depends on where it is met.
  assert.throws(() => padded(offset), /call stack/)
}

async function lost(db: DB, acknowledged: readonly string[]): Promise<string[]> {
  const missing = acknowledged.filter((key) => !db.hasSync(key))
  await db.close()
  return missing
}

for (const what of ['putSync', 'putSync and put', 'a batch']) {
  test(`${what}, until the stack ends, and then writes and a crash: what was acknowledged is there`, async () => {
    for (let offset = 0; offset < 4; offset++) {
      const memory = new MemoryEnvironment()
      const db = await openIn(memory, { writeBufferBytes: 1 << 22 })
      const acknowledged: string[] = []
      const failures: Error[] = []
      db.on('error', ({ error }) => failures.push(error))
      const settled: Promise<unknown>[] = []
      const put = (key: string): void => {
        settled.push(
          db
            .put(key, '1')
            .then(() => acknowledged.push(key))
            .catch(() => {}),
        )
      }
      toTheEnd((depth) => {
        if (what !== 'a batch') db.putSync(`deep${depth}`, '1')
        else db.writeSync(new WriteBatch().put(`deep${depth}`, '1').delete('x'), { durability: 'disk' })
        acknowledged.push(`deep${depth}`)
        if (what === 'putSync and put') put(`async${depth}`)
      }, offset)
      let isWritable = true
      for (let i = 0; i < 20; i++) {
        try {
          db.putSync(`sync${i}`, '1', { durability: i % 2 === 0 ? 'os' : 'disk' })
          acknowledged.push(`sync${i}`)
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'READ_ONLY', String(error))
          isWritable = false
        }
        put(`later${i}`)
      }
      await Promise.all(settled)
      // Whoever meets it tells: nobody has to close the database to hear of it.
      if (!isWritable) assert.ok(failures.length > 0, `offset ${offset}: nobody was told`)
      const left = environmentOf(directoryOf(memory))
      assert.deepEqual(await lost(await openIn(left), acknowledged), [], `offset ${offset}`)
      // Closing may tell of what has failed; it ends, and the next opening finds the same.
      await db.close().catch(() => {})
      assert.deepEqual(await lost(await openIn(memory), acknowledged), [], `closed, offset ${offset}`)
    }
  })
}
