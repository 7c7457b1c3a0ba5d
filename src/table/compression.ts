/**
 * Compression: what the type byte of a stored block says about its contents, and the one place where codecs belong. A
 * codec is a case in `uncompress`; it must refuse a declared length above 64 × the stored one + 64 before it allocates.
 */
import { NotSupportedError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'

/** Contents are stored as they are: all that varve writes. */
export const NONE = 0

/** Types that others write; the number 2 has been given twice. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'snappy'],
  [2, "zstd (or zlib, in Minecraft's LevelDB)"],
  [4, "raw deflate (Minecraft's LevelDB)"],
])

/**
 * The contents of a stored block whose checksum has been verified.
 * @param stored the bytes before the trailer; returned as they are if the block is not compressed
 * @throws NotSupportedError naming the compression, if varve cannot read it
 */
export function uncompress(type: number, stored: Bytes, file: string, offset: number): Bytes {
  if (type === NONE) return stored
  const name = NAMES.get(type) ?? `an unknown method (type ${type})`
  throw new NotSupportedError(
    `the block at byte ${offset} of ${file} is compressed with ${name}, which varve cannot read`,
    {
      file,
      offset,
    },
  )
}
