/**
 * How keys and values are shown to people: as text if they are printable UTF-8, else as `0x` and hex. This is for the eye
 * only; a text may itself begin with `0x`, so whatever must be read back goes through an encoding without such doubts.
 */
import { toHex } from '../base/bytes.ts'
import type { Bytes } from '../base/types.ts'

export interface BytesStyle {
  /** Hex for everything. */
  readonly hex: boolean
  /** Bytes of a key or value that are shown at most; the rest becomes `…` and its length. */
  readonly maxBytes: number
}

// A byte order mark at the front is part of the bytes.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]/u

/** The text that the bytes are in UTF-8, or undefined if they are not UTF-8. Lossless: it encodes to the same bytes. */
export function decodeText(bytes: Bytes): string | undefined {
  try {
    // A copy, since decoders refuse shared memory.
    return decoder.decode(bytes.slice())
  } catch {
    return undefined
  }
}

/** All of the bytes: as text if that is printable, else as `0x…`. */
export function showBytes(bytes: Bytes): string {
  return printableText(bytes) ?? `0x${toHex(bytes)}`
}

/** The text that is shown for the bytes, or undefined if they are shown as hex. */
function printableText(bytes: Bytes): string | undefined {
  const text = decodeText(bytes)
  return text === undefined || UNPRINTABLE.test(text) ? undefined : text
}

/** bytes[offset, offset + length) in quotes or as hex, shortened to the style's length: `'Vaduz'`, `0x00ff`, `'abc…' (120 bytes)`. */
export function quoteBytes(bytes: Bytes, offset: number, length: number, style: BytesStyle): string {
  const isWhole = length <= style.maxBytes
  const end = isWhole ? offset + length : characterStart(bytes, offset, offset + style.maxBytes)
  const part = bytes.subarray(offset, end)
  const text = style.hex ? undefined : printableText(part)
  const rest = isWhole ? '' : '…'
  const quoted = text === undefined ? `0x${toHex(part)}${rest}` : `'${text}${rest}'`
  return isWhole ? quoted : `${quoted} (${length} bytes)`
}

/** The last place at or before `end` where no UTF-8 character would be cut; `end` itself if there is none near. */
function characterStart(bytes: Bytes, offset: number, end: number): number {
  for (let at = end; at > offset && at > end - 4; at--) {
    if ((bytes[at] & 0xc0) !== 0x80) return at
  }
  return end
}
