/**
 * Finding the blocks of a table that has lost its footer or its index. Blocks carry no length of their own, but each is
 * closed by a checksum: from where a block begins, its length is the first at which the checksum is right. One pass, since
 * a CRC can be continued byte by byte; wrong with a probability of 2^-32 a byte.
 *
 * The chain breaks at the first damaged block: where the next one begins, nothing tells.
 */
import { getFixed32 } from '../base/coding.ts'
import { crc32c, unmaskCrc } from '../base/crc32c.ts'
import type { RandomAccessFile } from '../base/environment.ts'
import { BLOCK_TRAILER_BYTES, type BlockHandle, blockEnd } from '../table/table-format.ts'

/** Longer blocks are not looked for; what LevelDB and varve write is some KiB, or one large value. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024

/** The blocks from the beginning of the file, in order, up to the first that is damaged. */
export function* findBlocks(file: RandomAccessFile): Generator<BlockHandle> {
  let offset = 0
  for (;;) {
    const handle = blockAt(file, offset)
    if (handle === undefined) return
    yield handle
    offset = blockEnd(handle)
  }
}

function blockAt(file: RandomAccessFile, offset: number): BlockHandle | undefined {
  // Most blocks are small: a window that grows only when it must.
  for (let window = 64 * 1024; ; window *= 8) {
    const bytes = new Uint8Array(Math.min(window, MAX_BLOCK_BYTES, file.bytes - offset))
    file.read(offset, bytes, 0, bytes.length)
    const length = closedLength(bytes)
    if (length >= 0) return { offset, bytes: length }
    if (bytes.length < window) return undefined
  }
}

/** Length of the contents of the block at the start of `bytes`, or −1. */
function closedLength(bytes: Uint8Array): number {
  let crc = 0
  for (let length = 0; length + BLOCK_TRAILER_BYTES <= bytes.length; length++) {
    // Contents and type byte.
    crc = crc32c(bytes, length, 1, crc)
    if (length > 0 && crc === unmaskCrc(getFixed32(bytes, length + 1))) return length
  }
  return -1
}
