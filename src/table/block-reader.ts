/**
 * Reading a block from its file: bounds first, then one positional read, then the checksum, then what the type byte says.
 * There is no way to read a block without verifying it.
 */
import { getFixed32 } from '../base/coding.ts'
import { crc32c, unmaskCrc } from '../base/crc32c.ts'
import type { RandomAccessFile } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'
import { uncompress } from './compression.ts'
import { BLOCK_TRAILER_BYTES, type BlockHandle, blockEnd, FOOTER_BYTES } from './table-format.ts'

/**
 * The contents of the block at `handle`, in memory of their own.
 * @throws CorruptionError if the handle reaches into the footer or the checksum is wrong, NotSupportedError if the block is
 *   compressed, IOError if it cannot be read
 */
export function readBlock(file: RandomAccessFile, handle: BlockHandle): Bytes {
  const { offset, bytes: length } = handle
  if (blockEnd(handle) > file.bytes - FOOTER_BYTES) {
    throw new CorruptionError('a block handle reaches beyond the blocks of its table', { file: file.path, offset })
  }
  const stored = new Uint8Array(length + BLOCK_TRAILER_BYTES)
  file.read(offset, stored, 0, stored.length)
  if (crc32c(stored, 0, length + 1) !== unmaskCrc(getFixed32(stored, length + 1))) {
    throw new CorruptionError('a block fails its checksum', { file: file.path, offset })
  }
  return uncompress(stored[length], stored.subarray(0, length), file.path, offset)
}
