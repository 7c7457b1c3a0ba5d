/**
 * The options of a scan, checked and turned into bounds.
 */
import { InvalidArgumentError } from '../base/errors.ts'
import { toKey } from '../base/limits.ts'
import type { Bytes } from '../base/types.ts'
import type { KeyBounds } from './db-iterator.ts'
import { checkCallOptions } from './options.ts'
import { Snapshot } from './snapshot.ts'

/** Options of `scan`, `keys` and `values`, and their `…Sync` forms. */
export interface ScanOptions {
  /** Keys greater than or equal to this. */
  readonly gte?: string | Uint8Array
  /** Keys greater than this. Not together with gte. */
  readonly gt?: string | Uint8Array
  /** Keys less than or equal to this. */
  readonly lte?: string | Uint8Array
  /** Keys less than this. Not together with lte. */
  readonly lt?: string | Uint8Array
  /** From the last key to the first. Default false. */
  readonly reverse?: boolean
  /** At most so many entries. Default: all. */
  readonly limit?: number
  /** The state to read; default: that of the call. */
  readonly snapshot?: Snapshot
}

/** A cursor has no limit: whoever moves it counts. */
export type CursorOptions = Omit<ScanOptions, 'limit'>

export interface ScanPlan {
  readonly bounds: KeyBounds
  readonly isReverse: boolean
  readonly limit: number
  readonly snapshot: Snapshot | undefined
}

const CURSOR_KNOWN = new Set(['gte', 'gt', 'lte', 'lt', 'reverse', 'snapshot'])
const SCAN_KNOWN = new Set([...CURSOR_KNOWN, 'limit'])

/** @throws InvalidArgumentError for an unknown option, a wrong type, or two bounds on one side */
export function planScan(options: ScanOptions): ScanPlan {
  checkCallOptions('scan', options, SCAN_KNOWN)
  return plan(options)
}

/** As planScan. */
export function planCursor(options: CursorOptions): ScanPlan {
  checkCallOptions('cursor', options, CURSOR_KNOWN)
  return plan(options)
}

function plan(options: ScanOptions): ScanPlan {
  const { gte, gt, lte, lt, reverse = false, limit = Number.POSITIVE_INFINITY, snapshot } = options
  if (gte !== undefined && gt !== undefined) throw new InvalidArgumentError('a scan has one lower bound: gte or gt')
  if (lte !== undefined && lt !== undefined) throw new InvalidArgumentError('a scan has one upper bound: lte or lt')
  if (typeof reverse !== 'boolean') throw new InvalidArgumentError('reverse must be true or false')
  if (!(limit >= 0) || (limit !== Number.POSITIVE_INFINITY && !Number.isInteger(limit))) {
    throw new InvalidArgumentError('limit must be an integer of at least 0')
  }
  if (snapshot !== undefined && !(snapshot instanceof Snapshot))
    throw new InvalidArgumentError('snapshot must be a Snapshot')
  const bounds = {
    lower: bound(gte ?? gt),
    includeLower: gt === undefined,
    upper: bound(lte ?? lt),
    includeUpper: lt === undefined,
  }
  return { bounds, isReverse: reverse, limit, snapshot }
}

/** A copy: the caller may change its buffer while the scan goes on. */
function bound(key: string | Uint8Array | undefined): Bytes | undefined {
  return key === undefined ? undefined : toKey(key).slice()
}
