/**
 * Internal keys in the words of a dump: `'Vaduz' @12 put`.
 */
import { getFixed32 } from '../base/coding.ts'
import { TAG_BYTES, tagIsValid, tagSequence, tagType } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import { showCount } from './figures.ts'
import { type BytesStyle, quoteBytes } from './render-bytes.ts'

/** The encoded internal key at bytes[offset, offset + length). */
export function showInternalKey(bytes: Bytes, offset: number, length: number, style: BytesStyle): string {
  if (length < TAG_BYTES) return `${quoteBytes(bytes, offset, length, style)} without a tag`
  const userLength = length - TAG_BYTES
  const low = getFixed32(bytes, offset + userLength)
  const high = getFixed32(bytes, offset + userLength + 4)
  return `${quoteBytes(bytes, offset, userLength, style)} ${showTag(low, high)}`
}

/** Sequence and type. Separators of an index may carry the largest sequence that LevelDB has, which is no entry's. */
function showTag(low: number, high: number): string {
  const type = tagType(low)
  const word = type === ValueType.VALUE ? 'put' : type === ValueType.DELETION ? 'del' : `type ${type}`
  if (high === 0xffffffff && low >>> 8 === 0xffffff) return `@max ${word}`
  // 56 bits do not fit a number: show what is stored.
  if (!tagIsValid(low, high) && high >= 0x20000000)
    return `@0x${high.toString(16)}${(low >>> 8).toString(16).padStart(6, '0')} ${word}`
  return `@${showCount(tagSequence(low, high))} ${word}`
}
