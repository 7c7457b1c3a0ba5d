/**
 * A directory that is removed or renamed while it is open, and another database that is made in its place: by whoever restores a
 * backup, or starts afresh, while the old process still runs. Neither database may lose anything by the other.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import * as runner from 'node:test'
import { destroy } from '../../src/admin/destroy.ts'
import type { DirectoryLock, FileSystem, WritableFile } from '../../src/base/environment.ts'
import { IOError, ReadOnlyError } from '../../src/base/errors.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { withDirectory } from '../compat/engines.ts'
import { entriesOf } from './directories.ts'

/** Windows moves no directory in which a file is open. */
const test = process.platform === 'win32' ? runner.test.skip : runner.test
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

const MOVED = /it is not the directory that was opened, which has been removed or renamed since/

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
      test(`${name} of a database whose directory was ${away} leaves that in its place alone, with ${workers} workers`, async () => {
        await withDirectory(async (root) => {
          const directory = join(root, 'data')
          const db = await filled(directory, 'old', { workers })
          takeAway(directory)
          const other = await filled(directory, 'new', { workers })
          await db.put('d', 'old')
          await assert.rejects(change(db), MOVED)
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
      })
    }
  }
}

for (const [away, takeAway] of AWAY) {
  test(`no table that lies in the place of a directory that was ${away} is read as the database's own`, async () => {
    await withDirectory(async (root) => {
      const directory = join(root, 'data')
      const db = await filled(directory, 'old', { workers: 0 })
      takeAway(directory)
      const damage: unknown[] = []
      db.on('damage', (detail) => damage.push(detail))
      assert.throws(() => db.getSync('a'), MOVED)
      // Its tables have the numbers and lengths of those that were taken away.
      const other = await filled(directory, 'new', { workers: 0 })
      assert.throws(() => db.getSync('a'), MOVED)
      assert.throws(() => entriesOf(db), MOVED)
      assert.deepEqual(await db.get('c'), new TextEncoder().encode('old'))
      assert.deepEqual(damage, [])
      await Promise.allSettled([db.close(), other.close()])
    })
  })
}

test('a destruction during which the directory is renamed removes nothing of that in its place', async () => {
  await withDirectory(async (root) => {
    const directory = join(root, 'data')
    await (await filled(directory, 'old', { workers: 0 })).close()
    await (await filled(`${directory}-new`, 'new', { workers: 0 })).close()
    const environment = nodeEnvironment()
    const files = environment.files as { -readonly [K in keyof FileSystem]: FileSystem[K] }
    const remove = files.remove.bind(files)
    let removed = 0
    files.remove = (path) => {
      remove(path)
      if (removed++ > 0) return
      renameSync(directory, `${directory}-old`)
      renameSync(`${directory}-new`, directory)
    }
    await assert.rejects(destroy(directory, { environment }), MOVED)
    const other = await open(directory, OPTIONS)
    assert.deepEqual(entriesOf(other), ['a=new', 'b=new', 'c=new', 'z=new'])
    await other.close()
  })
})

test('a database whose directory is renamed while its MANIFEST is replaced leaves CURRENT of that in its place alone', async () => {
  await withDirectory(async (root) => {
    const directory = join(root, 'data')
    await (await filled(`${directory}-new`, 'new', { workers: 0 })).close()
    const environment = nodeEnvironment()
    const files = environment.files as { -readonly [K in keyof FileSystem]: FileSystem[K] }
    const { rename, syncDirectory } = files
    const db = await open(directory, { ...OPTIONS, maxFileBytes: 4096, workers: 0, environment })
    // Its last step, for which there is no descriptor, is taken again when the directory has gone.
    let phase: 'in place' | 'away' | 'failed' = 'in place'
    files.rename = (from, to) => {
      rename.call(files, from, to)
      if (phase !== 'in place' || !to.endsWith('CURRENT')) return
      phase = 'away'
      renameSync(directory, `${directory}-old`)
      renameSync(`${directory}-new`, directory)
    }
    files.syncDirectory = (path) => {
      if (phase !== 'away') return syncDirectory.call(files, path)
      phase = 'failed'
      throw new IOError('no descriptors', { cause: Object.assign(new Error('EMFILE'), { code: 'EMFILE' }), file: path })
    }
    let failure: unknown
    for (let round = 0; failure === undefined && round < 200; round++) {
      failure = await db.put('a', `${round}`).then(
        () => db.flush().catch((error) => error),
        (error) => error,
      )
    }
    assert.equal(phase, 'failed')
    assert.match(String(failure), MOVED)
    await db.close()
    const other = await open(directory, OPTIONS)
    assert.deepEqual(entriesOf(other), ['a=new', 'b=new', 'c=new', 'z=new'])
    await other.close()
    const moved = await open(`${directory}-old`, OPTIONS)
    assert.equal(entriesOf(moved).length, 1)
    await moved.close()
  })
})

test('a backup during which the directory is renamed takes no table from that in its place', async () => {
  await withDirectory(async (root) => {
    const directory = join(root, 'data')
    const db = await filled(directory, 'old', { workers: 0 })
    const backup = db.backup()[Symbol.asyncIterator]()
    await backup.next()
    renameSync(directory, `${directory}-old`)
    const other = await filled(directory, 'new', { workers: 0 })
    await assert.rejects(async () => {
      while (!(await backup.next()).done);
    }, MOVED)
    await Promise.allSettled([db.close(), other.close()])
  })
})

test('a table that came to lie in another directory, which has gone again, is not installed', async () => {
  await withDirectory(async (root) => {
    const directory = join(root, 'data')
    const environment = nodeEnvironment()
    let isAway = false
    const files = environment.files as { -readonly [K in keyof FileSystem]: FileSystem[K] }
    const createWritable = files.createWritable.bind(files)
    const lockDirectory = files.lock.bind(files)
    files.createWritable = (path: string): WritableFile => {
      if (path.endsWith('.ldb')) {
        isAway = true
        renameSync(directory, `${directory}-old`)
        mkdirSync(directory)
      }
      return createWritable(path)
    }
    files.lock = async (path: string): Promise<DirectoryLock> => {
      const lock = await lockDirectory(path)
      const check = (): void => {
        if (isAway) {
          isAway = false
          rmSync(directory, { recursive: true })
          renameSync(`${directory}-old`, directory)
        }
        lock.check?.()
      }
      return { check, release: () => lock.release() }
    }
    const db = await open(directory, { ...OPTIONS, workers: 0, environment })
    await db.put('a', 'old')
    await assert.rejects(db.flush(), /a table that was just written is missing/)
    await db.close()
    const again = await open(directory, OPTIONS)
    assert.deepEqual(entriesOf(again), ['a=old'])
    await again.close()
  })
})

test('a table that a scan kept is not removed by its name from another directory', async () => {
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
    // A read removes nothing itself.
    await Promise.resolve()
    assert.deepEqual(readdirSync(directory), tables)
    assert.match(removals.join(), /^removal: cannot use .*: it is not the directory that was opened/)
    rmSync(directory, { recursive: true })
    await db.close()
  })
})

test('a database goes on when somebody has removed its LOCK, or moved its directory away and back', async () => {
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
})
