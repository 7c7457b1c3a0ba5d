/**
 * CopyPool: memory for the many small values that leave the engine. A typed array of more than 64 bytes lies outside the
 * JavaScript heap, and allocating it costs several times what copying 100 bytes does (measured: bench/micro/copy.ts), so
 * values up to a bound share slabs, as Node's own small Buffers do.
 *
 * Invariants  (1) no two copies share a byte: each belongs to its caller alone
 *             (2) a kept value keeps at most SLAB_BYTES alive
 *             (3) a slab refuses to be transferred to another thread, since that would take its other values with it;
 *                 where the host has no such thing (a web page), every copy has its own memory
 */
import { copyBytes, ownedCopy } from './bytes.ts'
import type { Bytes } from './types.ts'

/** As Node's Buffer pool. */
const SLAB_BYTES = 8192
/** Below, a typed array of its own lies in the JavaScript heap, and is cheap. */
const MIN_BYTES = 65
/** Above, the copying outweighs the allocation. */
const MAX_BYTES = 1024

export class CopyPool {
  readonly #guard: (slab: ArrayBuffer) => boolean
  #slab: ArrayBuffer = new ArrayBuffer(0)
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(this.#slab)
  #used = 0
  #isGuarded = true

  /** @param guard makes a buffer refuse to be transferred, and says whether it does */
  constructor(guard: (slab: ArrayBuffer) => boolean) {
    this.#guard = guard
  }

  /** A copy of from[offset, offset + length) that its caller owns. */
  copy(from: Bytes, offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (length < MIN_BYTES || length > MAX_BYTES || !this.#isGuarded) return ownedCopy(from, offset, length)
    if (this.#used + length > this.#bytes.length) this.#begin()
    const start = this.#used
    copyBytes(from, offset, this.#bytes, start, length)
    this.#used = start + length
    return new Uint8Array(this.#slab, start, length)
  }

  #begin(): void {
    const slab = new ArrayBuffer(SLAB_BYTES)
    const bytes = new Uint8Array(slab)
    this.#isGuarded = this.#guard(slab)
    // All at once: a call may throw, where the stack ends, and a copy must not go to one slab and be looked for in the other.
    this.#slab = slab
    this.#bytes = bytes
    this.#used = 0
  }
}
