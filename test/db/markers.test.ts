/**
 * Which bytes of a log prove that what lies before them had been durable: markers, wherever they lie, and nothing that only
 * looks like one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptionError } from '../../src/base/errors.ts'
import type { DB } from '../../src/db/db.ts'
import { BLOCK_BYTES } from '../../src/log/log-format.ts'
import {
  directoryOf,
  entriesOf,
  environmentOf,
  flipped,
  leftBy,
  openIn,
  recordEnds,
  tryOpen,
  withFile,
} from './directories.ts'

const LOG = '000001.log'
const LARGE = { writeBufferBytes: 1 << 20 }
const disk = { durability: 'disk' } as const
/** What a put costs in the log beyond key and value: record header, batch header, op; values of 16 KiB and more. */
const OVERHEAD_BYTES = 7 + 12 + 1 + 1 + 3

test('a marker that the end of a block would split is a proof all the same', async () => {
  for (let left = 0; left <= 40; left++) {
    const directory = await leftBy(async (db) => {
      await db.put('a', '1')
      const { bytes } = db.stats().logs[0]
      await db.put('b', 'x'.repeat(BLOCK_BYTES - bytes - OVERHEAD_BYTES - 1 - left), disk)
      await db.put('c', '3')
    }, LARGE)
    const log = directory.get(LOG)!
    const damaged = withFile(directory, LOG, flipped(log, recordEnds(log)[1] + 1))
    const opened = await tryOpen(damaged, LARGE)
    assert.ok(opened instanceof CorruptionError, `${left} bytes left in the block: not refused`)
  }
})

test('a marker behind a torn one, which nothing is missing before, does not make the log damaged', async () => {
  for (let left = 7; left <= 18; left++) {
    const directory = await leftBy(async (db) => {
      const { bytes } = db.stats().logs[0]
      await db.put('a', 'x'.repeat(BLOCK_BYTES - bytes - OVERHEAD_BYTES - 1 - left), disk)
      await db.put('b', '2', disk)
    }, LARGE)
    // Power was lost in the second sync: the page behind the end of the block was written, and the one before was not.
    const torn = directory
      .get(LOG)!
      .slice()
      .fill(0, BLOCK_BYTES - left, BLOCK_BYTES)
    const opened = await tryOpen(withFile(directory, LOG, torn), LARGE)
    assert.ok(!(opened instanceof Error), `${left} bytes left in the block: ${opened}`)
    assert.deepEqual(
      [opened.recoveryInfo.discarded.map(({ offset }) => offset), opened.recoveryInfo.entries],
      [[BLOCK_BYTES - left], 1],
    )
    await opened.close()
  }
})

test('what had been synced before a new log was begun is known to have been, by what is written there', async () => {
  const put = (db: DB): Promise<void> => db.put('a', '1', disk)
  const older = await leftBy(put)
  const newer = await leftBy(async (db) => {
    await put(db)
    await db.flush()
    await db.put('b', '2')
  })
  const name = [...newer.keys()].find((file) => file.endsWith('.log'))!
  // Killed before the flush was done: both logs are there.
  const directory = directoryOf(environmentOf(withFile(older, name, newer.get(name)!)))
  const sound = await openIn(environmentOf(directory))
  assert.deepEqual(entriesOf(sound), ['a=1', 'b=2'])
  await sound.close()
  const log = older.get(LOG)!
  for (let at = recordEnds(log)[1]; at < log.length; at++) {
    const opened = await tryOpen(withFile(directory, LOG, flipped(log, at)))
    assert.ok(opened instanceof CorruptionError, `byte ${at}: not refused`)
  }
})

test('a value that holds a log with markers proves nothing about the log that it is in', async () => {
  const donor = await leftBy(async (db) => {
    for (let i = 0; i < 2000; i++) await db.put(`key${i}`, 'value', i % 10 === 0 ? disk : undefined)
  }, LARGE)
  const directory = await leftBy(async (db) => {
    await db.put('a', '1')
    await db.put('filler', 'x'.repeat(2 * BLOCK_BYTES))
    await db.put('copy', donor.get(LOG)!)
  }, LARGE)
  const log = directory.get(LOG)!
  const opened = await tryOpen(withFile(directory, LOG, flipped(log, recordEnds(log)[1] + 1)), LARGE)
  assert.ok(!(opened instanceof Error), String(opened))
  assert.deepEqual(
    opened.recoveryInfo.discarded.map(({ offset }) => offset),
    [recordEnds(log)[1]],
  )
  await opened.close()
})
