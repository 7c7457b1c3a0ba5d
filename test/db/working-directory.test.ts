/**
 * A database whose directory was named relative to the process's, which then goes elsewhere: where there may be another database of
 * that very name.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { attach } from '../../src/db/attach.ts'
import { open } from '../../src/db/open.ts'
import { withDirectory } from '../compat/engines.ts'
import { entriesOf } from './directories.ts'

for (const workers of [0, 2]) {
  test(`a database stays where it was opened when the process goes elsewhere, with ${workers} workers`, async () => {
    const home = process.cwd()
    await withDirectory(async (root) => {
      for (const name of ['here', 'there']) mkdirSync(join(root, name))
      try {
        process.chdir(join(root, 'here'))
        const db = await open('data', { workers })
        await db.put('a', '1')
        process.chdir(join(root, 'there'))
        const other = await open('data', { workers })
        await other.close()
        const before = readdirSync('data')
        await db.flush()
        await db.put('b', '2')
        const reader = await attach(db.share())
        assert.equal(Buffer.from(reader.getSync('a') ?? []).toString(), '1')
        await reader.close()
        await db.compactRange()
        assert.equal(db.stats().directory, 'data')
        await db.close()
        assert.deepEqual(readdirSync('data'), before)
        process.chdir(join(root, 'here'))
        for (const readOnly of [true, false]) {
          const again = await open('data', { workers, readOnly })
          process.chdir(join(root, 'there'))
          assert.deepEqual(entriesOf(again), ['a=1', 'b=2'])
          await again.close()
          process.chdir(join(root, 'here'))
        }
      } finally {
        process.chdir(home)
      }
    })
  })
}
