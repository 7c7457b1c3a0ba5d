/**
 * Cursors: where a seek leads, in ranges and directions that chance draws, beside a sorted array; and what ends a cursor.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Cursor } from '../../src/db/read/cursor.ts'
import type { CursorOptions } from '../../src/db/read/scan-options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'

const KEYS = 40

function keyOf(i: number): string {
  return `k${String(i).padStart(2, '0')}`
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

function openInMemory(): Promise<DB> {
  return open('/db', { environment: new MemoryEnvironment(), workers: 0, writeBufferBytes: 16 * 1024 })
}

/** Keys in tables and in memory, deleted one by one and by ranges, overwritten. @returns what there is, in order */
async function fill(db: DB, prng: Prng): Promise<string[]> {
  const there = new Set<string>()
  for (let i = 0; i < 150; i++) {
    const key = keyOf(prng.below(KEYS))
    const kind = prng.below(10)
    if (kind < 6) {
      db.putSync(key, `${i}`)
      there.add(key)
    } else if (kind < 8) {
      db.deleteSync(key)
      there.delete(key)
    } else if (kind === 8) {
      const end = keyOf(Number(key.slice(1)) + prng.below(6))
      db.deleteRangeSync(key, end)
      for (const other of [...there]) if (other >= key && other < end) there.delete(other)
    } else {
      await db.flush()
    }
  }
  return [...there].sort()
}

function drawOptions(prng: Prng): CursorOptions {
  const lower = prng.below(3)
  const upper = prng.below(3)
  return {
    reverse: prng.below(2) === 0,
    ...(lower === 1 && { gte: keyOf(prng.below(KEYS)) }),
    ...(lower === 2 && { gt: keyOf(prng.below(KEYS)) }),
    ...(upper === 1 && { lte: keyOf(prng.below(KEYS)) }),
    ...(upper === 2 && { lt: keyOf(prng.below(KEYS)) }),
  }
}

/** The keys of a range in a cursor's order. */
function expected(there: readonly string[], { gte, gt, lte, lt, reverse }: CursorOptions): string[] {
  const inRange = there.filter(
    (key) =>
      (gte === undefined || key >= gte) &&
      (gt === undefined || key > gt) &&
      (lte === undefined || key <= lte) &&
      (lt === undefined || key < lt),
  )
  return reverse === true ? inRange.reverse() : inRange
}

function here(cursor: Cursor): string | undefined {
  if (!cursor.valid) return undefined
  const { keyBuf, keyOff, keyLen } = cursor
  assert.equal(text(keyBuf.subarray(keyOff, keyOff + keyLen)), text(cursor.key))
  return text(cursor.key)
}

describe('a cursor', () => {
  for (let seed = 1; seed <= 60; seed++) {
    it(`moves and seeks as in a sorted array (seed ${seed})`, async () => {
      const prng = new Prng(seed)
      const db = await openInMemory()
      const there = await fill(db, prng)
      const options = drawOptions(prng)
      const keys = expected(there, options)
      using cursor = db.cursor(options)
      db.putSync('k00later', 'not seen')
      let at = -1
      for (let step = 0; step < 60; step++) {
        if (prng.below(3) === 0) {
          const target = keyOf(prng.below(KEYS))
          at = keys.findIndex((key) => (options.reverse === true ? key <= target : key >= target))
          if (at < 0) at = keys.length
          assert.equal(cursor.seek(target), at < keys.length)
        } else {
          at = Math.min(at + 1, keys.length)
          assert.equal(cursor.next(), at < keys.length)
        }
        assert.equal(here(cursor), keys[at], `step ${step}`)
      }
      await db.close()
    })
  }

  it('reads a snapshot', async () => {
    const db = await openInMemory()
    db.putSync('a', 'old')
    using snapshot = db.snapshot()
    db.putSync('a', 'new')
    db.putSync('b', 'new')
    using cursor = db.cursor({ snapshot })
    assert.ok(cursor.next())
    assert.equal(text(cursor.value), 'old')
    assert.equal(cursor.next(), false)
    assert.ok(cursor.seek(''))
    await db.close()
  })

  it('gives copies that are its caller’s own', async () => {
    const db = await openInMemory()
    db.putSync('a', '1')
    db.putSync('b', '2')
    using cursor = db.cursor()
    cursor.next()
    const { key, value } = cursor
    cursor.next()
    assert.deepEqual([text(key), text(value)], ['a', '1'])
    await db.close()
  })

  it('is at no entry before its first move, past its end, and once closed', async () => {
    const db = await openInMemory()
    db.putSync('a', '1')
    const cursor = db.cursor()
    const refused = { code: 'INVALID_ARGUMENT' }
    assert.throws(() => cursor.key, refused)
    assert.ok(cursor.next())
    assert.equal(cursor.next(), false)
    assert.equal(cursor.next(), false)
    assert.throws(() => cursor.value, refused)
    assert.ok(cursor.seek('a'), 'the end is not for ever')
    assert.throws(() => cursor.seek(7 as never), refused)
    assert.ok(cursor.valid)
    assert.equal(db.stats().openScans, 1)
    cursor.close()
    cursor.close()
    assert.equal(db.stats().openScans, 0)
    assert.deepEqual([cursor.isClosed, cursor.valid, cursor.next(), cursor.seek('a')], [true, false, false, false])
    await db.close()
  })

  it('is ended by the closing of the database, and says so again and again', async () => {
    const db = await openInMemory()
    db.putSync('a', '1')
    const cursor = db.cursor()
    await db.close()
    for (let i = 0; i < 2; i++) {
      assert.throws(() => cursor.next(), { code: 'CLOSED' })
      assert.throws(() => cursor.seek('a'), { code: 'CLOSED' })
    }
    assert.throws(() => db.cursor(), { code: 'CLOSED' })
  })

  it('has no limit, and refuses options that it does not know', async () => {
    const db = await openInMemory()
    for (const options of [{ limit: 1 }, { gte: 'a', gt: 'a' }, { reverse: 1 }]) {
      assert.throws(() => db.cursor(options as CursorOptions), { code: 'INVALID_ARGUMENT' })
    }
    assert.equal(db.stats().openScans, 0)
    await db.close()
  })
})
