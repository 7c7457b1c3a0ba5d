/**
 * The options of a scan, checked and turned into bounds.
 */
import { compareWhole } from '../../base/bytes.ts'
import { bytewiseComparator, type Comparator } from '../../base/comparator.ts'
import { InvalidArgumentError, NotSupportedError } from '../../base/errors.ts'
import { checkCallOptions, checkFlag } from '../../base/known-options.ts'
import { copyOfKey } from '../../base/limits.ts'
import { endOfPrefix } from '../../base/prefix-range.ts'
import type { Bytes } from '../../base/types.ts'
import { Snapshot } from '../snapshot.ts'
import type { KeyBounds } from './db-iterator.ts'

/** Options of `scan`, `keys` and `values`, and their `…Sync` forms. */
export interface ScanOptions {
  /** Keys that begin with this, if they are also within the bounds below. Not with a comparator of your own. */
  readonly prefix?: string | Uint8Array | undefined
  /** Keys greater than or equal to this. */
  readonly gte?: string | Uint8Array | undefined
  /** Keys greater than this. Not together with gte. */
  readonly gt?: string | Uint8Array | undefined
  /** Keys less than or equal to this. */
  readonly lte?: string | Uint8Array | undefined
  /** Keys less than this. Not together with lte. */
  readonly lt?: string | Uint8Array | undefined
  /** From the last key to the first. Default false. */
  readonly reverse?: boolean | undefined
  /** At most so many entries. Default: all. */
  readonly limit?: number | undefined
  /** The state to read. Default: that at the time of the call. */
  readonly snapshot?: Snapshot | undefined
}

/** Options of `cursor`: as of `scan`, without a limit. */
export type CursorOptions = Omit<ScanOptions, 'limit'>

export interface ScanPlan {
  readonly bounds: KeyBounds
  readonly isReverse: boolean
  readonly limit: number
  readonly snapshot: Snapshot | undefined
}

const CURSOR_KNOWN = new Set(['prefix', 'gte', 'gt', 'lte', 'lt', 'reverse', 'snapshot'])
const SCAN_KNOWN = new Set([...CURSOR_KNOWN, 'limit'])

/**
 * @throws InvalidArgumentError for an unknown option, a wrong type, or two bounds on one side; NotSupportedError for a prefix in
 *   another order than bytewise, in which keys that begin alike need not be neighbours
 */
export function planScan(options: ScanOptions, comparator: Comparator): ScanPlan {
  checkCallOptions('scan', options, SCAN_KNOWN)
  return plan(options, comparator)
}

/** As planScan. */
export function planCursor(options: CursorOptions, comparator: Comparator): ScanPlan {
  checkCallOptions('cursor', options, CURSOR_KNOWN)
  return plan(options, comparator)
}

function plan(options: ScanOptions, comparator: Comparator): ScanPlan {
  const { prefix, gte, gt, lte, lt, reverse = false, limit = Number.POSITIVE_INFINITY, snapshot } = options
  if (gte !== undefined && gt !== undefined) throw new InvalidArgumentError('a scan has one lower bound: gte or gt')
  if (lte !== undefined && lt !== undefined) throw new InvalidArgumentError('a scan has one upper bound: lte or lt')
  checkFlag('scan', 'reverse', reverse)
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isInteger(limit) && limit >= 0)) {
    throw new InvalidArgumentError('limit must be an integer of at least 0')
  }
  if (snapshot !== undefined && !(snapshot instanceof Snapshot))
    throw new InvalidArgumentError('snapshot must be a Snapshot')
  const bounds = {
    lower: bound(gte === undefined ? gt : gte),
    includeLower: gt === undefined,
    upper: bound(lte === undefined ? lt : lte),
    includeUpper: lt === undefined,
  }
  if (prefix === undefined) return { bounds, isReverse: reverse, limit, snapshot }
  if (comparator !== bytewiseComparator)
    throw new NotSupportedError('prefix does not work with a comparator of your own')
  return { bounds: within(bounds, copyOfKey(prefix)), isReverse: reverse, limit, snapshot }
}

/** What of the bounds begins with `prefix`. */
function within({ lower, includeLower, upper, includeUpper }: KeyBounds, prefix: Bytes): KeyBounds {
  const end = endOfPrefix(prefix)
  const isLower = lower !== undefined && compareWhole(lower, prefix) >= 0
  const isUpper = upper !== undefined && (end === undefined || compareWhole(upper, end) < 0)
  return {
    lower: isLower ? lower : prefix,
    includeLower: isLower ? includeLower : true,
    upper: isUpper ? upper : end,
    includeUpper: isUpper ? includeUpper : false,
  }
}

function bound(key: string | Uint8Array | undefined): Bytes | undefined {
  return key === undefined ? undefined : copyOfKey(key)
}
