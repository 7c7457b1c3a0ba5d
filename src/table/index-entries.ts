/**
 * IndexEntries: an index block as arrays. Opening a table is mostly this, for thousands of entries (docs/performance.md): so they
 * are decoded in one loop, straight into arrays of their final kind, with room for as many entries as there are restart
 * points; writers of LevelDB's format make one for each.
 *
 * Checked  every length and every handle, as TableIndex says; not the order of the keys
 */
import { Reader } from '../base/coding.ts'
import { TAG_BYTES } from '../base/internal-key.ts'
import type { Block } from './block.ts'
import { BLOCK_TRAILER_BYTES } from './table-format.ts'

/** Prefix compression may expand the separators up to this many times, which real indexes do not use at all. */
const MAX_EXPANSION = 16
const MAX_KEYS_BYTES = 2 ** 31 - 1
/** A block of 4 GiB could not be read. */
const MAX_BLOCK_BYTES = 2 ** 32 - 1

export class IndexEntries {
  /** Number of data blocks. */
  readonly count: number
  /** The separators, one after another; number i is [starts[i], starts[i + 1]). */
  keys: Uint8Array<ArrayBuffer>
  starts: Int32Array<ArrayBuffer>
  /** Where each data block begins, and how long its contents are. */
  offsets: Float64Array<ArrayBuffer>
  lengths: Uint32Array<ArrayBuffer>

  /**
   * @param block verified contents of the index block; not kept
   * @param dataEnd where the data blocks end at the latest
   * @throws CorruptionError
   */
  constructor(block: Block, dataEnd: number) {
    const { restartCount } = block
    this.keys = new Uint8Array(block.entriesEnd)
    this.starts = new Int32Array(restartCount + 1)
    this.offsets = new Float64Array(restartCount)
    this.lengths = new Uint32Array(restartCount)
    this.count = this.#read(block, dataEnd)
  }

  /** @returns how many there are */
  #read(block: Block, dataEnd: number): number {
    const { bytes, entriesEnd } = block
    const reader = new Reader(bytes)
    let { keys } = this
    let count = 0
    let at = 0
    let previous = 0
    let start = 0
    let previousEnd = 0
    while (at < entriesEnd) {
      reader.reset(bytes, at, entriesEnd)
      const shared = reader.varint32()
      const unshared = reader.varint32()
      const valueLength = reader.varint32()
      at = reader.offset
      if (reader.failed) block.damaged('an entry has no readable lengths')
      if (shared > start - previous || unshared + valueLength > entriesEnd - at)
        block.damaged('an entry reaches beyond its block or its neighbour')
      if (shared + unshared < TAG_BYTES) block.damaged('an index key is shorter than a tag')
      const end = start + shared + unshared
      if (end > keys.length) keys = this.#grownKeys(block, end)
      for (let i = 0; i < shared; i++) keys[start + i] = keys[previous + i]
      for (let to = start + shared; to < end; to++) keys[to] = bytes[at++]
      reader.reset(bytes, at, at + valueLength)
      const offset = reader.varint64()
      const length = reader.varint64()
      if (reader.failed || reader.remaining > 0) block.damaged('an index entry that is not a block handle')
      at += valueLength
      const blockEnd = offset + length + BLOCK_TRAILER_BYTES
      if (offset < previousEnd || blockEnd > dataEnd || length > MAX_BLOCK_BYTES)
        block.damaged('an index whose data blocks overlap or leave the table')
      if (count === this.offsets.length) this.#makeRoom()
      this.offsets[count] = offset
      this.lengths[count] = length
      this.starts[++count] = end
      previousEnd = blockEnd
      previous = start
      start = end
    }
    return count
  }

  /** For twice as many entries. */
  #makeRoom(): void {
    const { starts, offsets, lengths } = this
    const room = 2 * offsets.length + 1
    this.starts = new Int32Array(room + 1)
    this.starts.set(starts)
    this.offsets = new Float64Array(room)
    this.offsets.set(offsets)
    this.lengths = new Uint32Array(room)
    this.lengths.set(lengths)
  }

  #grownKeys(block: Block, needed: number): Uint8Array<ArrayBuffer> {
    const limit = Math.min(block.entriesEnd * MAX_EXPANSION, MAX_KEYS_BYTES)
    if (needed > limit) block.damaged('an index whose keys expand beyond reason')
    const keys = new Uint8Array(Math.min(needed * 2, limit))
    keys.set(this.keys)
    this.keys = keys
    return keys
  }
}
