/**
 * BlockMemory: the memory of the blocks of one database's tables, used again as soon as nobody holds a block any more. Memory
 * of its own for each block that is read would cost as much as its checksum, and keep the garbage collector at work
 * (docs/performance.md).
 *
 * Holders    Whoever keeps a block says so, and says when it lets go: the block cache, the cursor of the lookups, each scan of
 *            the block that it is in. The last one out leaves the memory here. Who is dropped without letting go (a scan that
 *            nobody ended) costs nothing but that: its block is collected as any other object is.
 * Invariant  memory that is given out belongs to no block that somebody holds
 * Budget     up to SPARES pieces of up to SPARE_BYTES_MAX each wait here, beside what is held; most of the time one
 * Threads    belongs to one thread
 */
import type { Block } from './block.ts'

/** More than leave a cache at once when one comes in. */
const SPARES = 8
const SPARE_BYTES_MAX = 16 * 1024
/** Lengths are rounded up to multiples of this, so that memory fits other blocks, too: they differ by an entry or so. */
const GRAIN_BYTES = 128

export class BlockMemory {
  readonly #spares: ArrayBuffer[] = []

  /** Memory for a block, with anything in it: at least `bytes` bytes, and fewer than GRAIN_BYTES more. */
  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    const length = Math.ceil(bytes / GRAIN_BYTES) * GRAIN_BYTES
    const spares = this.#spares
    for (let i = 0; i < spares.length; i++) {
      const spare = spares[i]
      if (spare.byteLength !== length) continue
      spares[i] = spares[spares.length - 1]
      spares.pop()
      return new Uint8Array(spare)
    }
    return new Uint8Array(length)
  }

  /** Give back memory that no block is made of. */
  free(memory: ArrayBuffer): void {
    if (memory.byteLength > SPARE_BYTES_MAX) return
    const spares = this.#spares
    // Of a length that is not asked for any more.
    if (spares.length === SPARES) spares.shift()
    spares.push(memory)
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
