/**
 * Compression: what the type byte of a stored block says about its contents, and the one place where codecs belong.
 *
 * Types    0 none, 1 snappy, 2 zstd (google/leveldb 1.23 and later). Minecraft's LevelDB gave 2 to zlib, and 4 to raw deflate;
 *          zstd and zlib are told apart by how they begin.
 * Rule     A block is stored compressed only if that saves an eighth of it or more; LevelDB's rule.
 * Bounds   What stored bytes declare is checked before anything is allocated. Snappy yields at most 64 bytes for 3
 *          (snappy-decoder.ts); zstd has no such bound, so it may yield 64 MiB, or 64 bytes for each stored one if that is
 *          more. Neither may yield more than 1 GiB, which the largest value that can be written stays below by half. So
 *          that every block that varve writes can be read, it compresses none of more than 64 MiB.
 */
import type { Codecs } from '../base/environment.ts'
import { CorruptionError, NotSupportedError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'
import type { BlockMemory } from './block-memory.ts'
import { decodeSnappy } from './snappy-decoder.ts'
import { SnappyEncoder } from './snappy-encoder.ts'
import { zstdContentsLength } from './zstd-frame.ts'

/** How the blocks of a table are compressed. */
export type Compression = 'none' | 'snappy' | 'zstd'

export const NONE = 0
export const SNAPPY = 1
const ZSTD = 2
const RAW_DEFLATE = 4

const MIB = 1024 * 1024
const MAX_CONTENTS_BYTES = 1024 * MIB
const MAX_COMPRESSED_CONTENTS_BYTES = 64 * MIB
const MAX_ZSTD_YIELD = 64

const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd]
/** The low half of zlib's first byte is its method, deflate; its first two, big-endian, are a multiple of 31. */
const ZLIB_DEFLATE = 8
const ZLIB_CHECK = 31

export const ZSTD_MISSING = 'zstd is not there: Node.js has it from 22.15 and 23.8 on'

/** Turns contents into what is stored. */
export interface Compressor {
  /** Type byte of the blocks it makes. */
  readonly type: number
  /** @returns the compressed form, borrowed until the next call; it may be longer than the contents */
  compress(contents: Bytes): Bytes
}

/**
 * The compressor of this name, or undefined for none.
 * @throws NotSupportedError if it is zstd and the host has none
 */
export function compressorOf(compression: Compression, codecs: Codecs | undefined): Compressor | undefined {
  if (compression === 'none') return undefined
  if (compression === 'snappy') return new SnappyCompressor()
  const zstd = codecs?.zstd
  if (zstd === undefined) throw new NotSupportedError(ZSTD_MISSING)
  return { type: ZSTD, compress: (contents) => zstd.compress(contents) }
}

class SnappyCompressor implements Compressor {
  readonly type: number = SNAPPY
  readonly #encoder = new SnappyEncoder()

  compress(contents: Bytes): Bytes {
    this.#encoder.encode(contents)
    return this.#encoder.bytes.subarray(0, this.#encoder.length)
  }
}

/** Whether contents of this length are worth a try. */
export function isCompressible(length: number): boolean {
  return length <= MAX_COMPRESSED_CONTENTS_BYTES
}

/** Whether the compressed form is the one to store. */
export function savesEnough(compressedLength: number, length: number): boolean {
  return compressedLength < length - Math.floor(length / 8)
}

/** What the type byte of stored bytes means, in words. */
export function compressionName(type: number, stored: Bytes): string {
  if (type === NONE) return 'none'
  if (type === SNAPPY) return 'snappy'
  if (type === ZSTD) return isZlib(stored) ? "zlib, as in Minecraft's LevelDB" : 'zstd'
  if (type === RAW_DEFLATE) return "raw deflate, as in Minecraft's LevelDB"
  return `an unknown method (type ${type})`
}

/**
 * The contents of a stored block whose checksum has been verified.
 * @param stored the bytes before the trailer; returned as they are if the block is not compressed
 * @param memory what snappy's contents are to lie in, at its beginning; otherwise they have memory of their own
 * @throws CorruptionError if they are not what their type says; NotSupportedError naming a compression that cannot be read
 */
export function uncompress(
  type: number,
  stored: Bytes,
  codecs: Codecs | undefined,
  file: string,
  offset: number,
  memory?: BlockMemory,
): Bytes {
  if (type === NONE) return stored
  if (type === SNAPPY) return soundOr(decodeSnappy(stored, MAX_CONTENTS_BYTES, memory), 'snappy', file, offset)
  if (type === ZSTD && !isZlib(stored)) return soundOr(decodeZstd(stored, codecs, file, offset), 'zstd', file, offset)
  throw new NotSupportedError(
    `the block at byte ${offset} of ${file} is compressed with ${compressionName(type, stored)}, which varve cannot read`,
    { file, offset },
  )
}

function isZlib(stored: Bytes): boolean {
  return stored.length >= 2 && (stored[0] & 15) === ZLIB_DEFLATE && (stored[0] * 256 + stored[1]) % ZLIB_CHECK === 0
}

function soundOr(decoded: Bytes | string, name: string, file: string, offset: number): Bytes {
  if (typeof decoded !== 'string') return decoded
  throw new CorruptionError(`a block compressed with ${name} is damaged: ${decoded}`, { file, offset })
}

/** The contents, or what is wrong with the stored bytes. */
function decodeZstd(stored: Bytes, codecs: Codecs | undefined, file: string, offset: number): Bytes | string {
  if (!ZSTD_MAGIC.every((byte, i) => stored[i] === byte)) return 'it begins neither as zstd nor as zlib does'
  const length = zstdContentsLength(stored)
  if (typeof length === 'string') return length
  const bound = Math.min(MAX_CONTENTS_BYTES, Math.max(MAX_COMPRESSED_CONTENTS_BYTES, stored.length * MAX_ZSTD_YIELD))
  if (length > bound) return `it declares ${length} bytes, more than ${bound}`
  if (codecs?.zstd === undefined) {
    throw new NotSupportedError(`the block at byte ${offset} of ${file} is compressed with zstd, and ${ZSTD_MISSING}`, {
      file,
      offset,
    })
  }
  const contents = codecs.zstd.uncompress(stored, length)
  if (contents === undefined) return 'it cannot be decoded'
  return contents.length === length ? contents : `it declares ${length} bytes, and yields ${contents.length}`
}
