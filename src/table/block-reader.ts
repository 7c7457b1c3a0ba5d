/**
 * Reading a block from its file: bounds first, then one positional read, then the checksum, then what the type byte says.
 * There is no way to read a block without verifying it.
 */
import { getFixed32 } from '../base/coding.ts'
import { crc32c, unmaskCrc } from '../base/crc32c.ts'
import type { Codecs, RandomAccessFile } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'
import { uncompress } from './compression.ts'
import { BLOCK_TRAILER_BYTES, type BlockHandle, blockEnd, FOOTER_BYTES } from './table-format.ts'

/**
 * The contents of the block at `handle`, in memory of their own.
 * @param codecs what the host can uncompress
 * @throws CorruptionError if the handle reaches into the footer, the checksum is wrong or the block is not what its type
 *   says; NotSupportedError if it is compressed as varve or this host cannot read it; IOError if it cannot be read
 */
export function readBlock(file: RandomAccessFile, handle: BlockHandle, codecs: Codecs | undefined): Bytes {
  const { type, stored } = readStored(file, handle)
  return uncompress(type, stored, codecs, file.path, handle.offset)
}

/** A block as it lies in the file, its checksum verified. */
interface StoredBlock {
  /** See compression.ts. */
  readonly type: number
  readonly stored: Bytes
}

/** As readBlock, but what is compressed stays so. */
export function readStored(file: RandomAccessFile, handle: BlockHandle): StoredBlock {
  const { offset, bytes: length } = handle
  if (blockEnd(handle) > file.bytes - FOOTER_BYTES) {
    throw new CorruptionError('a block handle reaches beyond the blocks of its table', { file: file.path, offset })
  }
  const stored = new Uint8Array(length + BLOCK_TRAILER_BYTES)
  file.read(offset, stored, 0, stored.length)
  if (crc32c(stored, 0, length + 1) !== unmaskCrc(getFixed32(stored, length + 1))) {
    throw new CorruptionError('a block fails its checksum', { file: file.path, offset })
  }
  return { type: stored[length], stored: stored.subarray(0, length) }
}
