/**
 * prefixRange: the keys that begin with some bytes, as the range from those bytes to the first key that comes after them all. In the
 * order of bytes only: in another one, keys that begin alike need not be neighbours.
 */
import { InvalidArgumentError } from './errors.ts'
import { copyOfKey } from './limits.ts'

/**
 * The range of the keys that begin with `prefix`, for methods that take two ends:
 * `db.deleteRange(...prefixRange('user:'))`, and in the same way `compactRange`, `approximateSize`, and `deleteRange` of a WriteBatch or
 * a MemTable. Of no use with a comparator of your own.
 * @returns start, inclusive, and end, exclusive; both are the caller's own memory
 * @throws InvalidArgumentError if no key comes after those: the prefix is empty, or each of its bytes is 0xff
 */
export function prefixRange(
  prefix: string | Uint8Array,
): [start: Uint8Array<ArrayBuffer>, end: Uint8Array<ArrayBuffer>] {
  const start = copyOfKey(prefix)
  const end = endOfPrefix(start)
  if (end === undefined) throw new InvalidArgumentError('no key comes after all those that begin with this prefix')
  return [start, end]
}

/** The first key after all that begin with `prefix`; one of nothing but 0xff has none. */
export function endOfPrefix(prefix: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const last = prefix.findLastIndex((byte) => byte !== 0xff)
  if (last < 0) return undefined
  const end = new Uint8Array(prefix.subarray(0, last + 1))
  end[last]++
  return end
}
