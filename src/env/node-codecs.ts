/**
 * node-codecs: compressions that Node.js brings along: zstd, from 22.15 in its line and from 23.8 on. Snappy is varve's own
 * (table/snappy-*.ts), since on 4 KiB blocks it is faster than a native one (docs/rfcs/0009-compression.md).
 */
import zlib from 'node:zlib'
import type { Codec, Codecs } from '../base/environment.ts'
import type { Bytes } from '../base/types.ts'

/** What varve uses of node:zlib where it is there; the types of the oldest Node that varve runs on lack it. */
interface ZstdFunctions {
  zstdCompressSync(bytes: Uint8Array, options: object): Uint8Array
  zstdDecompressSync(bytes: Uint8Array, options: object): Uint8Array
}

/** ZSTD_c_compressionLevel, of zstd's own numbering. */
const COMPRESSION_LEVEL = 100
/** LevelDB's default. */
const LEVEL = 1
/** Node refuses smaller chunks of output. */
const MIN_CHUNK_BYTES = 64

export function nodeCodecs(): Codecs {
  const { zstdCompressSync, zstdDecompressSync } = zlib as unknown as Partial<ZstdFunctions>
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return {}
  return { zstd: new Zstd({ zstdCompressSync, zstdDecompressSync }) }
}

class Zstd implements Codec {
  readonly #functions: ZstdFunctions

  constructor(functions: ZstdFunctions) {
    this.#functions = functions
  }

  /** Declares the length of the contents, as readers demand. */
  compress(contents: Bytes): Bytes {
    const params = { [COMPRESSION_LEVEL]: LEVEL }
    const options = { params, pledgedSrcSize: contents.length, chunkSize: chunkBytes(contents.length) }
    return owned(this.#functions.zstdCompressSync(contents, options))
  }

  uncompress(stored: Bytes, length: number): Bytes | undefined {
    try {
      const options = { maxOutputLength: Math.max(length, 1), chunkSize: chunkBytes(length) }
      return owned(this.#functions.zstdDecompressSync(stored, options))
    } catch {
      return undefined
    }
  }
}

/** One piece for all of the output. */
function chunkBytes(length: number): number {
  return Math.max(MIN_CHUNK_BYTES, length)
}

/** A plain array of exactly these bytes: Node's lie in buffers that are larger, or shared. */
function owned(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes)
}
