/**
 * BlockMemory: the memory of the blocks of one database's tables, used again as soon as nobody holds a block any more. Memory
 * of its own for each block that is read would cost as much as its checksum, and keep the garbage collector at work
 * (docs/performance.md).
 *
 * Holders    Whoever keeps a block says so, and says when it lets go: the block cache, the cursor of the lookups, each scan of
 *            the block that it is in. The last one out leaves the memory here. Who is dropped without letting go (a scan that
 *            nobody ended) costs nothing but that: its block is collected as any other object is.
 * Invariant  memory that is given out belongs to no block that somebody holds
 * Directory  behind the contents of a block there is room for one (block-directory.ts), so that it need not move to get it
 * Budget     up to SPARES pieces of SPARE_BYTES_MAX together wait here, beside what is held; most of the time one
 * Threads    belongs to one thread
 */
import type { Block } from './block.ts'

/** More than leave a cache at once when one comes in. */
const SPARES = 8
/** A block of one value of a megabyte, which is worth it most: fresh pages take as long as reading and checking it (docs/performance.md). */
const SPARE_BYTES_MAX = 2 * 1024 * 1024
/** Lengths are rounded up to multiples of this, so that memory fits other blocks, too: they differ by an entry or so. */
const GRAIN_BYTES = 128
/** Longer blocks are of one value each, and differ by more: they also take memory that is larger by a share of them. */
const EXACT_BYTES_MAX = 16 * 1024
const EXCESS_SHARE = 1 / 8
/** Longer blocks get no directory, whose offsets have 16 bits. */
export const DIRECTORY_BLOCK_BYTES: number = 2 ** 16

export class BlockMemory {
  /** As large a part of a block is left free behind it for a directory; 0 where no block gets one. */
  directoryShare: number = 0
  readonly #spares: ArrayBuffer[] = []
  #spareBytes = 0

  /** Memory for a block, with anything in it: at least `bytes` bytes, and fewer than GRAIN_BYTES more, of a buffer that may be longer. */
  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    const length = Math.ceil(bytes / GRAIN_BYTES) * GRAIN_BYTES
    const limit = length > EXACT_BYTES_MAX ? length * (1 + EXCESS_SHARE) : length
    const spares = this.#spares
    for (let i = 0; i < spares.length; i++) {
      const spare = spares[i]
      if (spare.byteLength < length || spare.byteLength > limit) continue
      spares[i] = spares[spares.length - 1]
      spares.pop()
      this.#spareBytes -= spare.byteLength
      return new Uint8Array(spare, 0, length)
    }
    return new Uint8Array(length)
  }

  /** As allocate, for the contents of a block, with room for a directory behind them. */
  allocateBlock(bytes: number): Uint8Array<ArrayBuffer> {
    return this.allocate(bytes > DIRECTORY_BLOCK_BYTES ? bytes : bytes * (1 + this.directoryShare))
  }

  /** Give back memory that no block is made of. */
  free(memory: ArrayBuffer): void {
    const { byteLength } = memory
    if (byteLength > SPARE_BYTES_MAX) return
    const spares = this.#spares
    // The oldest are of lengths that are not asked for any more.
    while (spares.length === SPARES || this.#spareBytes + byteLength > SPARE_BYTES_MAX) {
      this.#spareBytes -= spares[0].byteLength
      spares.shift()
    }
    this.#spareBytes += byteLength
    spares.push(memory)
  }

  /** Forget what waits. */
  clear(): void {
    this.#spares.length = 0
    this.#spareBytes = 0
  }

  /** One more holds the block. */
  hold(block: Block): void {
    block.holders++
  }

  /** Once for each hold. */
  release(block: Block): void {
    if (--block.holders > 0) return
    const { memory } = block
    if (memory === undefined) return
    block.memory = undefined
    this.free(memory)
  }
}
