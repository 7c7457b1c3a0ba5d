/**
 * CRC-32C (Castagnoli), by slicing: eight bytes a step through eight tables, a byte a step at the ends. Long inputs are folded
 * into short ones first (crc32c-fold.ts), where the host can; elsewhere they are read as words (docs/performance.md).
 *
 * Stored checksums are masked, since a CRC over bytes that hold their own CRC degenerates.
 * Source   google/leveldb util/crc32c.h (mask); polynomial 0x1EDC6F41, reflected 0x82F63B78
 */
import { Crc32cFold, STRIDE_BYTES } from './crc32c-fold.ts'
import type { Bytes } from './types.ts'

const POLYNOMIAL = 0x82f63b78
const MASK_DELTA = 0xa282ead8
/** Below, folding and the view of words cost more than they save. */
const LONG_BYTES = 512
/** Making what folds takes as long as checking some megabytes without (docs/performance.md): who opens, reads a little and ends does without. */
const FOLD_AFTER_BYTES = 4 * 1024 * 1024
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** TABLES[k * 256 + b]: the CRC of byte b followed by k zero bytes. */
const TABLES = makeTables()

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let b = 0; b < 256; b++) {
    let crc = b
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[b] = crc
  }
  for (let i = 256; i < tables.length; i++) {
    const previous = tables[i - 256]
    tables[i] = tables[previous & 0xff] ^ (previous >>> 8)
  }
  return tables
}

/**
 * CRC-32C of bytes[offset, offset + length).
 * @param seed the CRC of what comes before, to go on with
 * @returns an unsigned 32-bit integer
 */
export function crc32c(bytes: Bytes, offset: number, length: number, seed: number = 0): number {
  if (length >= LONG_BYTES && offset + length <= bytes.length) {
    fold ??= foldIfItPays(length)
    if (fold !== undefined && fold !== NONE) return crcFolded(fold, bytes, offset, length, seed)
  }
  return crcByTables(bytes, offset, length, seed)
}

/**
 * Copy `length` bytes to other memory and go on with a CRC over them, in one pass: for up to some hundred bytes, of which
 * `TypedArray.set` of a part and a checksum of their own take half as much again. The views begin where the offsets count from.
 * @param seed the CRC of what comes before
 */
export function copyWithCrc32c(
  from: DataView,
  fromOff: number,
  to: DataView,
  toOff: number,
  length: number,
  seed: number,
): number {
  const t = TABLES
  const end = fromOff + length
  let crc = ~seed
  let i = fromOff
  let j = toOff
  for (const last = end - 8; i <= last; i += 8) {
    const word = from.getInt32(i, true)
    const high = from.getInt32(i + 4, true)
    to.setInt32(j, word, true)
    to.setInt32(j + 4, high, true)
    crc = afterWords(t, crc ^ word, high)
    j += 8
  }
  for (; i < end; i++) {
    const byte = from.getUint8(i)
    to.setUint8(j++, byte)
    crc = t[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  }
  return ~crc >>> 0
}

const NONE = 'none'
let fold: Crc32cFold | typeof NONE | undefined
/** Of the long inputs so far. */
let longBytes = 0

function foldIfItPays(length: number): Crc32cFold | typeof NONE | undefined {
  longBytes += length
  return longBytes < FOLD_AFTER_BYTES ? undefined : (Crc32cFold.create() ?? NONE)
}

function crcFolded(fold: Crc32cFold, bytes: Bytes, offset: number, length: number, seed: number): number {
  const folded = length - (length % STRIDE_BYTES)
  fold.fold(bytes, offset, folded, ~seed)
  const crc = IS_LITTLE_ENDIAN
    ? ~crcOfWords(fold.words, STRIDE_BYTES / 4, 0)
    : crcByTables(fold.memory, 0, STRIDE_BYTES, STATE_0)
  return crcByTables(bytes, offset + folded, length - folded, crc)
}

/** As a seed, the state that nothing has been added to. */
const STATE_0 = 0xffffffff

function crcByTables(bytes: Bytes, offset: number, length: number, seed: number): number {
  const t = TABLES
  const end = offset + length
  let crc = ~seed
  let i = offset
  if (length >= LONG_BYTES && IS_LITTLE_ENDIAN && end <= bytes.length) {
    for (; ((bytes.byteOffset + i) & 3) !== 0; i++) crc = t[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8)
    const wordCount = ((end - i) >>> 3) * 2
    crc = crcOfWords(new Int32Array(bytes.buffer, bytes.byteOffset + i, wordCount), wordCount, crc)
    i += wordCount * 4
  }
  for (const last = end - 8; i <= last; i += 8) {
    const low = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24)
    const high = bytes[i + 4] | (bytes[i + 5] << 8) | (bytes[i + 6] << 16) | (bytes[i + 7] << 24)
    crc = afterWords(t, crc ^ low, high)
  }
  for (; i < end; i++) crc = t[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}

/**
 * Go on with a CRC, not inverted, over little-endian words.
 * @param count of them, even; as a number of its own, since a loop up to `words.length` takes a third more (docs/performance.md)
 */
function crcOfWords(words: Int32Array, count: number, seed: number): number {
  const t = TABLES
  let crc = seed
  for (let i = 0; i < count; i += 2) crc = afterWords(t, crc ^ words[i], words[i + 1])
  return crc
}

/** The CRC after eight bytes, as two little-endian words, of which the first has been added to the CRC before. */
function afterWords(t: Int32Array, low: number, high: number): number {
  return (
    t[1792 + (low & 0xff)] ^
    t[1536 + ((low >>> 8) & 0xff)] ^
    t[1280 + ((low >>> 16) & 0xff)] ^
    t[1024 + (low >>> 24)] ^
    t[768 + (high & 0xff)] ^
    t[512 + ((high >>> 8) & 0xff)] ^
    t[256 + ((high >>> 16) & 0xff)] ^
    t[high >>> 24]
  )
}

/** A CRC as it is stored. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

/** The CRC of a stored, masked one. */
export function unmaskCrc(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}
