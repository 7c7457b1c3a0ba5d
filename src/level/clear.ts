/**
 * clear: deletes a range. The entries that are there are looked up, so that an empty range costs no write, and then deleted
 * from the first to the last of them by one range tombstone, whatever their number; with the last one's own delete behind
 * it, in the same batch, since a range ends before its end.
 *
 * What an explicit snapshot does not show must stay: from a snapshot, the keys that it shows are deleted one by one, and in
 * batches of bounded size, each of which is atomic by itself.
 */
import { type CursorOptions, type DB, WriteBatch } from '../public/index.ts'
import { cursorOptions, type RangeOptions } from './level-range.ts'
import type { Turn } from './turn.ts'

type Key = Uint8Array<ArrayBuffer>

/** A batch of deletes is written when it has so many bytes. */
const BATCH_BYTES = 256 * 1024

/** What is cleared is found in this turn of the event loop. @throws only by rejecting */
export async function clear(db: DB, range: RangeOptions, turn: Turn): Promise<void> {
  const options = cursorOptions(range)
  const limit = range.limit < 0 ? Number.POSITIVE_INFINITY : range.limit
  return options.snapshot === undefined ? clearNow(db, options, limit) : clearSeen(db, options, limit, turn)
}

/** The state of this moment. */
function clearNow(db: DB, options: CursorOptions, limit: number): Promise<void> {
  const ends = limit === Number.POSITIVE_INFINITY ? wholeRange(db, options) : limitedRange(db, options, limit)
  if (ends === undefined) return Promise.resolve()
  const [first, last] = ends
  return db.write(new WriteBatch().deleteRange(first, last).delete(last))
}

function wholeRange(db: DB, options: CursorOptions): [first: Key, last: Key] | undefined {
  const first = edge(db, { ...options, reverse: false })
  const last = first && edge(db, { ...options, reverse: true })
  return first && last && [first, last]
}

function edge(db: DB, options: CursorOptions): Key | undefined {
  const cursor = db.cursor(options)
  try {
    return cursor.next() ? cursor.key : undefined
  } finally {
    cursor.close()
  }
}

/** The entries that come first in the range's direction, `limit` of them; there is one at least to find. */
function limitedRange(db: DB, options: CursorOptions, limit: number): [first: Key, last: Key] | undefined {
  const isReverse = options.reverse === true
  const cursor = db.cursor(options)
  try {
    if (!cursor.next()) return undefined
    const begin = cursor.key
    for (let count = 1; count < limit && cursor.next(); ) count++
    const end = cursor.valid ? cursor.key : (edge(db, { ...options, reverse: !isReverse }) as Key)
    return isReverse ? [end, begin] : [begin, end]
  } finally {
    cursor.close()
  }
}

async function clearSeen(db: DB, options: CursorOptions, limit: number, turn: Turn): Promise<void> {
  const cursor = db.cursor(options)
  const batch = new WriteBatch()
  try {
    for (let count = 0; count < limit && cursor.next(); count++) {
      batch.delete(cursor.key)
      if (batch.byteLength >= BATCH_BYTES) {
        await db.write(batch)
        batch.clear()
      }
      if (turn.step()) await turn.next()
    }
    if (batch.count > 0) await db.write(batch)
  } finally {
    cursor.close()
  }
}
