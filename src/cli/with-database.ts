/**
 * Opening a database for the length of one command.
 *
 * A command that reads takes no lock: another process may compact tables away while it reads. A table that is open by then goes on
 * being read. So what reads a whole range opens the tables of the range first; if one has gone by then, it begins anew, as long
 * as nothing has been printed.
 * Source   docs/rfcs/0016-reading-beside-a-writer.md
 */
import { type DB, type Options, open, type ScanOptions, StaleError } from '../public/index.ts'

const MAX_TRIES = 10

/** Open, run, close, whatever happens; a failure of `run` is told before one of the closing. */
export async function withDatabase<T>(directory: string, options: Options, run: (db: DB) => Promise<T>): Promise<T> {
  const db = await open(directory, options)
  let result: T
  try {
    result = await run(db)
  } catch (error) {
    await db.close().catch(() => {})
    throw error
  }
  await db.close()
  return result
}

/** As withDatabase, for reading: `run` prints nothing, since it is run anew in a newer state if its own has gone. */
export function withReader<T>(directory: string, run: (db: DB) => Promise<T>): Promise<T> {
  return readFresh(directory, run, () => true)
}

/** As withDatabase, for reading a range: `run` may print. Its state stays, as far as the caches of tables hold it. */
export function withRange(directory: string, range: ScanOptions, run: (db: DB) => Promise<void>): Promise<void> {
  let mayHavePrinted = false
  const openAndRun = async (db: DB): Promise<void> => {
    // A few entries are read before anything can happen to them.
    if (range.limit === undefined) await openTables(db, range)
    mayHavePrinted = true
    await run(db)
  }
  return readFresh(directory, openAndRun, () => !mayHavePrinted)
}

async function readFresh<T>(directory: string, run: (db: DB) => Promise<T>, mayRunAnew: () => boolean): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await withDatabase(directory, { readOnly: true }, run)
    } catch (error) {
      if (!(error instanceof StaleError) || tries === MAX_TRIES || !mayRunAnew()) throw error
    }
  }
}

/** What is wrong with a table is for the scan to tell, in its place. @throws (rejects with) StaleError */
async function openTables(db: DB, range: ScanOptions): Promise<void> {
  for (const { smallest, largest } of db.stats().tables) {
    if (!overlaps(range, smallest, largest)) continue
    try {
      // The offset of its last key in a table is in the table's index.
      await db.approximateSize(largest, Buffer.concat([largest, Buffer.of(0)]))
    } catch (error) {
      if (error instanceof StaleError) throw error
    }
  }
}

/** Whether a table from `smallest` to `largest` may have keys of the range. */
function overlaps({ prefix, gte, gt, lte, lt }: ScanOptions, smallest: Uint8Array, largest: Uint8Array): boolean {
  const [low, high] = [gte ?? gt, lte ?? lt]
  if (low !== undefined && Buffer.from(low).compare(largest) > 0) return false
  if (high !== undefined && Buffer.from(high).compare(smallest) < 0) return false
  if (prefix === undefined) return true
  const start = Buffer.from(prefix)
  return start.compare(largest) <= 0 && start.compare(smallest.subarray(0, start.length)) >= 0
}
