/**
 * Writes to a database that cannot flush, until one is refused.
 */
import assert from 'node:assert/strict'
import type { DB } from '../../src/db/db.ts'

/** @param db with a write buffer of a few kilobytes, and a short `stallTimeoutMs` */
export function writeUntilRefused(db: DB): void {
  assert.throws(
    () => {
      for (let i = 0; i < 1000; i++) db.putSync(`key${i}`, 'v'.repeat(100))
    },
    { code: 'STALLED' },
  )
}
