/**
 * A program for live.test.ts: LevelDB, in a process of its own, that writes and compacts until it is killed. Batch i sets every
 * counter to i, and one key of the ring to i. After each batch it tells its number, in eight digits and a line feed.
 *
 *   live-writer DIRECTORY
 */
import { writeSync } from 'node:fs'
import { ClassicLevel } from 'classic-level'
import { COUNTERS, digits, padding, RING, ringKey } from './live-batches.ts'

const db = new ClassicLevel<string, string>(process.argv[2], { writeBufferSize: 64 * 1024, maxFileSize: 1024 * 1024 })
await db.open()
let next = Number((await db.get(COUNTERS[0])) ?? -1) + 1
for (; ; next++) {
  const value = digits(next)
  const counters = COUNTERS.map((key) => ({ type: 'put' as const, key, value }))
  await db.batch([...counters, { type: 'put', key: ringKey(next), value: value + padding(next) }])
  writeSync(1, `${value}\n`)
  if (next % (RING * 2) === RING) await db.compactRange('', '~')
}
