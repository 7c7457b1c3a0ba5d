/**
 * A directory that is removed or renamed while it is open, and another database that is made in its place: by whoever restores a
 * backup, or starts afresh, while the old process still runs. Neither database may lose anything by the other.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ReadOnlyError } from '../../src/base/errors.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { withDirectory } from '../compat/engines.ts'
import { entriesOf } from './directories.ts'

/** Windows moves no directory in which a file is open, and lets nobody have the name of one that is to be removed. */
const canMove = { skip: process.platform === 'win32' && 'Windows moves no directory in use' }
const OPTIONS: Options = { level0CompactionTrigger: 10, mergeAtRest: false }

/** A database with two tables that overlap, and a log. */
async function filled(directory: string, value: string, options: Options): Promise<DB> {
  const db = await open(directory, { ...OPTIONS, ...options })
  for (const key of ['a', 'b', 'c']) {
    await db.put(key, value)
    await db.put('z', value)
    if (key !== 'c') await db.flush()
  }
  return db
}

const AWAY: readonly (readonly [name: string, takeAway: (directory: string) => void])[] = [
  ['renamed', (directory) => renameSync(directory, `${directory}-old`)],
  ['removed', (directory) => rmSync(directory, { recursive: true })],
]

/** What changes the files of a database. */
const CHANGES: readonly (readonly [name: string, change: (db: DB) => Promise<unknown>])[] = [
  ['a flush', (db) => db.flush()],
  ['a compaction', (db) => db.compactRange('a', 'b')],
  ['a checkpoint', (db) => db.checkpoint(`${db.stats().directory}-copy`)],
]

for (const workers of [0, 2]) {
  for (const [away, takeAway] of AWAY) {
    for (const [name, change] of CHANGES) {
      test(
        `${name} of a database whose directory was ${away} leaves that in its place alone, with ${workers} workers`,
        canMove,
        async () => {
          await withDirectory(async (root) => {
            const directory = join(root, 'data')
            const db = await filled(directory, 'old', { workers })
            takeAway(directory)
            const other = await filled(directory, 'new', { workers })
            await db.put('d', 'old')
            await assert.rejects(
              change(db),
              /it is not the directory that was opened, which has been removed or renamed since/,
            )
            if (name !== 'a checkpoint') await assert.rejects(db.put('e', 'old'), ReadOnlyError)
            await db.close()
            await other.close()
            const again = await open(directory, OPTIONS)
            assert.deepEqual(entriesOf(again), ['a=new', 'b=new', 'c=new', 'z=new'])
            await again.close()
            if (away === 'removed') return
            const moved = await open(`${directory}-old`, OPTIONS)
            assert.deepEqual(entriesOf(moved), ['a=old', 'b=old', 'c=old', 'd=old', 'z=old'])
            await moved.close()
          })
        },
      )
    }
  }
}

test('a table that a scan kept is not removed by its name from another directory', canMove, async () => {
  await withDirectory(async (root) => {
    const directory = join(root, 'data')
    const db = await filled(directory, 'old', { workers: 0 })
    const scan = db.cursor()
    await db.compactRange()
    renameSync(directory, `${directory}-old`)
    mkdirSync(directory)
    const removals: string[] = []
    db.on('background-error', ({ work, error }) => removals.push(`${work}: ${error.message}`))
    const tables = readdirSync(`${directory}-old`).filter((file) => file.endsWith('.ldb'))
    for (const table of tables) symlinkSync('foreign', join(directory, table))
    scan.close()
    assert.deepEqual(readdirSync(directory), tables)
    assert.match(removals.join(), /^removal: cannot write to .*: it is not the directory that was opened/)
    rmSync(directory, { recursive: true })
    await db.close()
  })
})

test(
  'a database goes on when somebody has removed its LOCK, or moved its directory away and back',
  canMove,
  async () => {
    await withDirectory(async (root) => {
      const directory = join(root, 'data')
      const db = await filled(directory, 'old', { workers: 0 })
      unlinkSync(join(directory, 'LOCK'))
      await db.compactRange()
      renameSync(directory, `${directory}-old`)
      renameSync(`${directory}-old`, directory)
      await db.put('d', 'old')
      await db.flush()
      await db.close()
    })
  },
)
