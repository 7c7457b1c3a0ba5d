/**
 * A process with a small heap that opens hostile databases and reads all of them, and says how much memory that took at most.
 *
 *   bound-child DIRECTORY      one line of JSON: { outcome, bytes }
 */

import { VarveError } from '../../src/base/errors.ts'
import { open } from '../../src/db/open.ts'
import { greatestResidentBytes } from './process-figures.ts'

const before = process.memoryUsage.rss()
let outcome = 'opened'
try {
  const db = await open(process.argv[2], { workers: 0, writeBufferBytes: 64 * 1024, blockCacheBytes: 1024 * 1024 })
  try {
    let entries = 0
    for (const _ of db.scanSync()) entries++
    db.getSync('m')
    outcome = `read, ${entries} entries`
  } finally {
    await db.close()
  }
} catch (error) {
  if (!(error instanceof VarveError)) throw error
  outcome = error.code
}
const bytes = Math.max(0, greatestResidentBytes() - before)
console.log(JSON.stringify({ outcome, bytes }))
