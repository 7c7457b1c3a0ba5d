/**
 * Opening a database for the length of one command.
 */
import { type DB, type Options, open } from '../public/index.ts'

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
