/**
 * A database whose directory was named relative to the process's, which then goes elsewhere: where there may be another database of
 * that very name.
 */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdirSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repair } from '../../src/admin/repair.ts'
import { restore } from '../../src/admin/restore.ts'
import { verify } from '../../src/admin/verify.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { attach } from '../../src/db/threads/attach.ts'
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

test('damage is told before the closing of whoever found it ends, on channels with the whole path of the directory', async () => {
  const home = process.cwd()
  const told: unknown[] = []
  const hear = (message: unknown): void => void told.push((message as { directory: unknown }).directory)
  for (const channel of ['varve:flush', 'varve:damage']) subscribe(channel, hear)
  try {
    await withDirectory(async (root) => {
      process.chdir(root)
      const db = await open('data', { workers: 0 })
      await db.put('a', '1')
      await db.flush()
      const path = join(process.cwd(), 'data')
      const table = readdirSync(path).find((name) => name.endsWith('.ldb'))!
      writeFileSync(join(path, table), Buffer.alloc(statSync(join(path, table)).size))
      const reader = await attach(db.share())
      for (const each of [reader, db]) {
        assert.throws(() => each.getSync('a'), { code: 'CORRUPTION' })
        const before = told.length
        await each.close()
        assert.equal(told.length, before + 1)
      }
      assert.deepEqual(told, [path, path, path])
    })
  } finally {
    process.chdir(home)
    for (const channel of ['varve:flush', 'varve:damage']) unsubscribe(channel, hear)
  }
})

test('whatever is wrong with CURRENT, its path is the whole one, and messages name the directory as it was given', async () => {
  const home = process.cwd()
  await withDirectory(async (root) => {
    try {
      process.chdir(root)
      const db = await open('data', { workers: 0 })
      await db.put('a', '1')
      await db.close()
      const file = join(process.cwd(), 'data', 'CURRENT')
      for (const readOnly of [false, true]) {
        for (const text of [undefined, 'MANIFEST-000099\n', 'nonsense']) {
          if (text === undefined) rmSync(file)
          else writeFileSync(file, text)
          await assert.rejects(open('data', { readOnly, workers: 0 }), { code: 'CORRUPTION', file })
        }
      }
      await assert.rejects(open('none', { readOnly: true }), { message: 'there is no database in none' })
      symlinkSync('nowhere', 'link')
      await assert.rejects(open('link'), { message: 'link is a symbolic link that leads nowhere' })
      await assert.rejects(verify('link'), { message: 'link is a symbolic link that leads nowhere' })
    } finally {
      process.chdir(home)
    }
  })
})

type Call = (db: DB) => Promise<{ readonly directory: string }>

/** Each makes or reads a directory named `copy`, in whatever it is. */
const CALLS: readonly (readonly [name: string, needsCopy: boolean, call: Call])[] = [
  ['a checkpoint', false, (db) => db.checkpoint('copy')],
  ['a checkpoint with a flush', false, (db) => db.checkpoint('copy', { flush: true })],
  ['a restore', false, (db) => restore(db.backup(), 'copy')],
  ['a verification', true, () => verify('copy')],
  ['a verification without the lock', true, () => verify('copy', { readOnly: true })],
  ['a repair', true, () => repair('copy')],
]

for (const [name, needsCopy, call] of CALLS) {
  test(`${name} stays in the directory where it was begun`, async () => {
    const home = process.cwd()
    await withDirectory(async (root) => {
      for (const place of ['here', 'there']) mkdirSync(join(root, place))
      await using db = await open(join(root, 'data'), { workers: 0 })
      await db.put('a', '1')
      await db.flush()
      await db.put('b', '2')
      try {
        process.chdir(join(root, 'here'))
        if (needsCopy) {
          await db.checkpoint('copy')
          // Not sound: something is to be repaired.
          for (const table of readdirSync('copy').filter((file) => /^0.*ldb$/.test(file)))
            truncateSync(join('copy', table), 10)
        }
        const done = call(db)
        process.chdir(join(root, 'there'))
        assert.equal((await done).directory, 'copy')
        assert.deepEqual(readdirSync('.'), [])
        process.chdir(join(root, 'here'))
        if (needsCopy) return
        await using copy = await open('copy')
        assert.deepEqual(entriesOf(copy), ['a=1', 'b=2'])
      } finally {
        process.chdir(home)
      }
    })
  })
}

const canLose = { skip: process.platform === 'win32' && 'Windows removes no directory in which a process works' }
test('where the process works in a directory that was removed, a relative path is an IO_ERROR', canLose, async () => {
  const home = process.cwd()
  await withDirectory(async (root) => {
    await using db = await open(join(root, 'data'), { workers: 0 })
    mkdirSync(join(root, 'removed'))
    try {
      process.chdir(join(root, 'removed'))
      rmSync(join(root, 'removed'), { recursive: true })
      for (const call of [
        () => open('data'),
        () => verify('data'),
        () => restore([], 'data'),
        () => db.checkpoint('data'),
      ])
        await assert.rejects(call, { code: 'IO_ERROR', file: 'data' })
    } finally {
      process.chdir(home)
    }
  })
})

test('a database whose directory was named relatively is opened there, though the process goes elsewhere meanwhile', async () => {
  const home = process.cwd()
  await withDirectory(async (root) => {
    for (const place of ['here', 'there']) mkdirSync(join(root, place))
    try {
      process.chdir(join(root, 'here'))
      const opening = open('data')
      process.chdir(join(root, 'there'))
      const db = await opening
      await db.put('a', '1')
      await db.close()
      assert.deepEqual(readdirSync('.'), [])
    } finally {
      process.chdir(home)
    }
  })
})
