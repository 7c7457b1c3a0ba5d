/**
 * The frame of a table file: where its blocks lie and how each is closed. LevelDB's format, byte for byte.
 *
 * Format   table   := data block*, [filter block], metaindex block, index block, footer
 *          block   := contents ‖ type u8 ‖ masked CRC-32C u32le of contents ‖ type      (compression.ts has the types)
 *          handle  := varint64 offset ‖ varint64 bytes                                   (of the contents, no trailer)
 *          footer  := metaindex handle ‖ index handle ‖ zeros up to 40 bytes ‖ magic     (48 bytes, the last of the file)
 * Layout rule  The footer carries no checksum, so its handles are believed only if they fit: the index block ends where
 *          the footer begins, and the metaindex block ends where the index block begins. Every LevelDB writes them so
 *          (C++, goleveldb, iq80); a damaged handle that points at some other sound block is thus found out. The whole
 *          footer must be what a writer would make of its handles, so that no damage to it passes.
 * Source   google/leveldb table/format.cc, doc/table_format.md
 */
import { equalBytes } from '../base/bytes.ts'
import { getFixed32, putFixed32, putVarint, Reader } from '../base/coding.ts'
import type { RandomAccessFile } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'

/** Bytes after the contents of a block: type and checksum. */
export const BLOCK_TRAILER_BYTES = 5
export const FOOTER_BYTES = 48
/** Room that an encoded handle may need: two varints of up to ten bytes. */
export const MAX_HANDLE_BYTES = 20

const FOOTER_HANDLES_BYTES = 40
const MAGIC_LOW = 0x8b80fb57
const MAGIC_HIGH = 0xdb477524

/** Where the contents of a block lie in its file. */
export interface BlockHandle {
  readonly offset: number
  readonly bytes: number
}

export interface Footer {
  readonly metaindex: BlockHandle
  readonly index: BlockHandle
}

/** The offset at which a block's trailer ends, and what follows it begins. */
export function blockEnd(handle: BlockHandle): number {
  return handle.offset + handle.bytes + BLOCK_TRAILER_BYTES
}

/** @returns the offset after the encoded handle */
export function putHandle(into: Bytes, offset: number, handle: BlockHandle): number {
  return putVarint(into, putVarint(into, offset, handle.offset), handle.bytes)
}

/** Read a handle; the reader's `failed` tells whether there was one. */
export function readHandle(reader: Reader): BlockHandle {
  const offset = reader.varint64()
  return { offset, bytes: reader.varint64() }
}

export function encodeFooter(footer: Footer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FOOTER_BYTES)
  putHandle(bytes, putHandle(bytes, 0, footer.metaindex), footer.index)
  putFixed32(bytes, FOOTER_HANDLES_BYTES, MAGIC_LOW)
  putFixed32(bytes, FOOTER_HANDLES_BYTES + 4, MAGIC_HIGH)
  return bytes
}

/**
 * Read and check the footer of a table; one positional read.
 * @throws CorruptionError if the file is no table, or its handles break the layout rule; IOError
 */
export function readFooter(file: RandomAccessFile): Footer {
  const bytes = new Uint8Array(Math.min(file.bytes, FOOTER_BYTES))
  if (bytes.length === FOOTER_BYTES) file.read(file.bytes - FOOTER_BYTES, bytes, 0, FOOTER_BYTES)
  return decodeFooter(file, bytes)
}

/**
 * Check the footer of a table.
 * @param tail the last bytes of the file: at least the footer, or all of a file that is shorter
 * @throws CorruptionError if the file is no table, or its handles break the layout rule
 */
export function decodeFooter(file: RandomAccessFile, tail: Bytes): Footer {
  const start = file.bytes - FOOTER_BYTES
  if (start < 0) throw corrupt(file, 0, `a table has at least ${FOOTER_BYTES} bytes, this file ${file.bytes}`)
  const at = tail.length - FOOTER_BYTES
  const magicAt = at + FOOTER_HANDLES_BYTES
  if (getFixed32(tail, magicAt) !== MAGIC_LOW || getFixed32(tail, magicAt + 4) !== MAGIC_HIGH)
    throw corrupt(file, start, 'not a table: the magic number is missing')
  const reader = new Reader(tail, at, magicAt)
  const metaindex = readHandle(reader)
  const index = readHandle(reader)
  if (reader.failed || blockEnd(index) !== start || blockEnd(metaindex) !== index.offset) {
    throw corrupt(file, start, 'the footer does not fit the layout of a table')
  }
  if (!equalBytes(tail, at, FOOTER_BYTES, encodeFooter({ metaindex, index }), 0, FOOTER_BYTES)) {
    throw corrupt(file, start, 'the footer has stray bits')
  }
  return { metaindex, index }
}

function corrupt(file: RandomAccessFile, offset: number, message: string): CorruptionError {
  return new CorruptionError(message, { file: file.path, offset })
}
