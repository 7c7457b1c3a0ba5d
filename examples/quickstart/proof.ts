/**
 * The proof: after the crash, the database holds exactly the first so many cities, every byte of them, and at least all that
 * were acknowledged.
 */
import { Buffer } from 'node:buffer'
import type { DB } from '../../src/public/index.ts'
import { type City, jsonOf, keyOf } from './cities.ts'

export interface Proof {
  /** Entries in the database. */
  readonly entries: number
  /** Acknowledged cities that are there, byte for byte. */
  readonly acknowledgedWhole: number
  /** Entries beyond the acknowledged ones that are whole. */
  readonly beyondWhole: number
  readonly isGood: boolean
}

export function prove(db: DB, cities: readonly City[], acknowledged: number): Proof {
  let entries = 0
  for (const _ of db.keysSync()) entries++
  const acknowledgedWhole = countWhole(db, cities, 0, acknowledged)
  const beyondWhole = countWhole(db, cities, acknowledged, Math.max(acknowledged, entries))
  // As many entries as whole cities, and those the first ones: nothing is missing, nothing torn, nothing made up.
  const isGood = acknowledgedWhole === acknowledged && acknowledgedWhole + beyondWhole === entries
  return { entries, acknowledgedWhole, beyondWhole, isGood }
}

function countWhole(db: DB, cities: readonly City[], begin: number, limit: number): number {
  let whole = 0
  for (const city of cities.slice(begin, limit)) {
    const stored = db.getSync(keyOf(city))
    if (stored !== undefined && Buffer.from(jsonOf(city)).equals(stored)) whole++
  }
  return whole
}
