/**
 * Reading a block from its file: bounds first, then one positional read, then the checksum, then what the type byte says.
 * There is no way to come by the contents of a block without verifying it: whoever reads many blocks at once (readahead,
 * the end of a table) has each of them verified here too.
 */
import { getFixed32 } from '../base/coding.ts'
import { crc32c, unmaskCrc } from '../base/crc32c.ts'
import type { Codecs, RandomAccessFile } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'
import { Block } from './block.ts'
import type { BlockMemory } from './block-memory.ts'
import { NONE, SNAPPY, uncompress } from './compression.ts'
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

/**
 * As readBlock, but in memory that is used again once nobody holds the block.
 * @throws as readBlock; CorruptionError if the restart points are not as they should be
 */
export function readDataBlock(
  file: RandomAccessFile,
  handle: BlockHandle,
  codecs: Codecs | undefined,
  memory: BlockMemory,
): Block {
  checkHandle(file, handle)
  const { offset, bytes } = handle
  const stored = memory.allocateBlock(bytes + BLOCK_TRAILER_BYTES)
  file.read(offset, stored, 0, bytes + BLOCK_TRAILER_BYTES)
  const block = verifiedBlock(stored, 0, bytes, codecs, memory, file.path, offset)
  if (block.bytes === stored) block.memory = stored.buffer
  else memory.free(stored.buffer)
  return block
}

/**
 * As verifiedContents, made a block: in `stored`, if it is not compressed, which is its `bytes` if it begins there; otherwise in
 * memory that is used again.
 */
export function verifiedBlock(
  stored: Bytes,
  at: number,
  length: number,
  codecs: Codecs | undefined,
  memory: BlockMemory,
  file: string,
  offset: number,
): Block {
  const own = at === 0 ? stored : stored.subarray(at, at + length + BLOCK_TRAILER_BYTES)
  verifyChecksum(own, 0, length, file, offset)
  const type = own[length]
  if (type === NONE) return new Block(own, file, offset, length)
  const contents = uncompress(type, own.subarray(0, length), codecs, file, offset, memory)
  if (type !== SNAPPY) return new Block(contents, file, offset)
  const whole = contents.buffer as ArrayBuffer
  return new Block(new Uint8Array(whole), file, offset, contents.length, whole)
}

/** A block as it lies in the file, its checksum verified. */
interface StoredBlock {
  /** See compression.ts. */
  readonly type: number
  readonly stored: Bytes
}

/** As readBlock, but what is compressed stays so. */
export function readStored(file: RandomAccessFile, handle: BlockHandle): StoredBlock {
  checkHandle(file, handle)
  const stored = new Uint8Array(handle.bytes + BLOCK_TRAILER_BYTES)
  file.read(handle.offset, stored, 0, stored.length)
  verifyChecksum(stored, 0, handle.bytes, file.path, handle.offset)
  return { type: stored[handle.bytes], stored: stored.subarray(0, handle.bytes) }
}

/** @throws CorruptionError if the block would reach into the footer */
export function checkHandle(file: RandomAccessFile, handle: BlockHandle): void {
  if (blockEnd(handle) <= file.bytes - FOOTER_BYTES) return
  throw new CorruptionError('a block handle reaches beyond the blocks of its table', {
    file: file.path,
    offset: handle.offset,
  })
}

/**
 * The contents of a block that was read together with its trailer.
 * @param stored holds the block at stored[at, at + length), and its trailer after that
 * @param file   and `offset` are where it was read from, to name in errors
 * @returns a view of `stored` if the block is not compressed, otherwise memory of their own
 * @throws CorruptionError if the checksum is wrong, NotSupportedError if the compression is unknown
 */
export function verifiedContents(
  stored: Bytes,
  at: number,
  length: number,
  codecs: Codecs | undefined,
  file: string,
  offset: number,
): Bytes {
  verifyChecksum(stored, at, length, file, offset)
  return uncompress(stored[at + length], stored.subarray(at, at + length), codecs, file, offset)
}

function verifyChecksum(stored: Bytes, at: number, length: number, file: string, offset: number): void {
  if (crc32c(stored, at, length + 1) === unmaskCrc(getFixed32(stored, at + length + 1))) return
  throw new CorruptionError('a block fails its checksum', { file, offset })
}
