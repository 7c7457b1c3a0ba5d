/**
 * Log room: zeros behind the records of a log that is being written, up to the end of a block, so that the file need not grow with
 * each of them. A sync of what fills room writes data; a sync of what makes a file longer, or takes new blocks of the disk, also writes
 * the file system's journal.
 *
 * Format      The file ends where a block does then, and what follows its last record are zeros, ROOM_BYTES at most. Zeros anywhere
 *             else, or more of them, are no room, but what a crash or damage has left.
 * Beginning   A file of zeros as long as the first marker has never had a write: a power loss leaves one where the file system keeps
 *             a length without its bytes (ext4). It is taken for room, too: nothing is missing.
 * Who has it  A log that is synced again and again. Closed, it loses it; a process that is killed leaves it.
 * Others      LevelDB takes a header of zeros for the end of its block, and reports nothing: it wrote such files itself once.
 * Source      docs/rfcs/0022-room-for-what-is-synced-next.md; google/leveldb db/log_reader.cc (kZeroType)
 */
import type { RandomAccessFile } from '../base/environment.ts'
import { BLOCK_BYTES, HEADER_BYTES } from './log-format.ts'

/** The most room that a log has; it has more than three quarters of it when it is made. */
export const ROOM_BYTES: number = 4 * BLOCK_BYTES
/** Most bytes from one sync to the next that room is made for: larger ones would have to write most of what they write twice. */
export const ROOM_FOR_BYTES: number = ROOM_BYTES / 8

/** Of a log that was only begun: a marker is a batch without an entry, of 12 bytes (batch/batch-format.ts). */
export const BEGINNING_BYTES: number = HEADER_BYTES + 12

/** How long to make the file of a log of so many bytes. */
export function roomLimit(bytes: number): number {
  return Math.floor(bytes / BLOCK_BYTES) * BLOCK_BYTES + ROOM_BYTES
}

/** Whether all of a file from `start` on, where a record should be, is room. @throws IOError if it cannot be read */
export function isRoom(file: RandomAccessFile, start: number): boolean {
  const length = file.bytes - start
  const isOfLength = start === 0 ? length === BEGINNING_BYTES : file.bytes % BLOCK_BYTES === 0 && length <= ROOM_BYTES
  if (!isOfLength) return false
  const bytes = new Uint8Array(ROOM_BYTES)
  file.read(start, bytes, 0, length)
  return new Int32Array(bytes.buffer).every((word) => word === 0)
}
