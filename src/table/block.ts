/**
 * Block: the contents of one verified block: entries, and restart points at which keys are stored whole.
 *
 * Format   block   := entry* ‖ restart u32le[restartCount] ‖ restartCount u32le
 *          entry   := varint32 shared ‖ varint32 unshared ‖ varint32 valueBytes ‖ key[shared..] ‖ value
 *          shared  := how many bytes the key has in common with the one before it; 0 at a restart point
 *          restart := offset of an entry
 * Invariants  checked once, when the block is made: there is a restart point; the first is 0; they ascend strictly; each
 *          lies before the end of the entries. A block of four zero bytes is an empty one as iq80 writes it.
 *          Entries are checked when they are read (block-cursor.ts).
 * Memory   from a BlockMemory (block-memory.ts), or anyone's: then it stays with the block
 * Threads  immutable, but for who holds it; belongs to one thread
 * Source   google/leveldb table/block.cc, table/block_builder.cc
 */
import { getFixed32 } from '../base/coding.ts'
import { CorruptionError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'

const U32_BYTES = 4

export class Block {
  /** Begins with the contents, `length` bytes; behind them there may be a directory. */
  readonly bytes: Bytes
  readonly length: number
  /** Offset in `bytes` at which the entries end and the restart points begin. */
  readonly entriesEnd: number
  readonly restartCount: number
  /** Of the directory, if there is one (block-directory.ts): how many entries it has, otherwise 0; and the length of its prefix. */
  entryCount: number
  prefixLength: number
  /** Path and offset that it was read from, to name when an entry is damaged. */
  readonly file: string
  readonly offset: number
  /** The store's notes, while it keeps the block: a lookup has found it, and need not be noted again; and what else it knows of it. */
  isUsed: boolean
  slot: object | undefined
  /** How many hold it: see block-memory.ts. */
  holders: number
  /** What goes back to the BlockMemory once nobody holds it; undefined for a block whose memory is not from there. */
  memory: ArrayBuffer | undefined

  /**
   * @param bytes  begins with the contents, checksum verified, not compressed; kept
   * @param length of the contents
   * @param memory what `bytes` lies in, if it is from a BlockMemory
   * @throws CorruptionError if the restart points are not as they should be
   */
  constructor(bytes: Bytes, file: string, offset: number, length: number = bytes.length, memory?: ArrayBuffer) {
    this.bytes = bytes
    this.length = length
    this.entryCount = 0
    this.prefixLength = 0
    this.file = file
    this.offset = offset
    this.isUsed = false
    this.slot = undefined
    this.holders = 0
    this.memory = memory
    const countOffset = length - U32_BYTES
    if (countOffset < 0) this.damaged('a block has at least four bytes')
    this.restartCount = getFixed32(bytes, countOffset)
    this.entriesEnd = countOffset - this.restartCount * U32_BYTES
    this.#checkRestarts()
  }

  /** Offset of the entry at a restart point. */
  restart(index: number): number {
    return getFixed32(this.bytes, this.entriesEnd + index * U32_BYTES)
  }

  /** @throws CorruptionError, always: names this block */
  damaged(message: string): never {
    throw new CorruptionError(message, { file: this.file, offset: this.offset })
  }

  #checkRestarts(): void {
    if (this.restartCount === 0 && this.entriesEnd === 0) return
    if (this.restartCount === 0 || this.entriesEnd < 0)
      this.damaged('a block with an impossible number of restart points')
    let previous = -1
    for (let i = 0; i < this.restartCount; i++) {
      const at = this.restart(i)
      const isInside = at < this.entriesEnd || (at === 0 && i === 0)
      if (at <= previous || !isInside) this.damaged('restart points that do not ascend within their block')
      previous = at
    }
    if (this.restart(0) !== 0) this.damaged('a block whose first restart point is not its first entry')
  }
}

/** A block without entries. */
export const EMPTY_BLOCK: Block = new Block(new Uint8Array(U32_BYTES), '', 0)
