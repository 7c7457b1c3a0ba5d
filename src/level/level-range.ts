/**
 * LevelRange: the range of an iterator or of `clear`, as abstract-level encodes it, as bounds of a cursor. Where two bounds
 * stand on one side, the inclusive one counts, as in its sublevels. A target outside of the range is no place to seek to.
 */
import type { AbstractSnapshot } from 'abstract-level'
import type { CursorOptions } from '../public/index.ts'
import { type Data, toBytes } from './format.ts'
import { LevelSnapshot } from './level-snapshot.ts'

export interface RangeOptions {
  readonly gte?: Data
  readonly gt?: Data
  readonly lte?: Data
  readonly lt?: Data
  readonly reverse: boolean
  /** -1 for none. */
  readonly limit: number
  readonly snapshot?: AbstractSnapshot
}

/** @throws LevelError if the snapshot is not one of VarveLevel's */
export function cursorOptions(range: RangeOptions): CursorOptions {
  const { gte, gt, lte, lt, reverse } = range
  const snapshot = LevelSnapshot.of(range.snapshot)
  return {
    reverse,
    ...(gte !== undefined ? { gte: toBytes(gte) } : gt !== undefined && { gt: toBytes(gt) }),
    ...(lte !== undefined ? { lte: toBytes(lte) } : lt !== undefined && { lt: toBytes(lt) }),
    ...(snapshot !== undefined && { snapshot }),
  }
}

export function isInRange(target: Uint8Array, { gte, gt, lte, lt }: CursorOptions): boolean {
  return (
    (gte === undefined || Buffer.compare(target, gte as Uint8Array) >= 0) &&
    (gt === undefined || Buffer.compare(target, gt as Uint8Array) > 0) &&
    (lte === undefined || Buffer.compare(target, lte as Uint8Array) <= 0) &&
    (lt === undefined || Buffer.compare(target, lt as Uint8Array) < 0)
  )
}
