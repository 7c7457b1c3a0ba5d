/**
 * WriteGroup: the batches that are committed together. They lie encoded in one buffer; each becomes one record of the log. The
 * whole group costs one write(2), has the strongest durability that any of its writers asked for, and shares one outcome: there is
 * one promise for all of them.
 *
 * Format   group := (length u32le | batch) × batches, so that a put allocates nothing beside its bytes
 */

import { copyBytes, EMPTY, grown } from '../../base/bytes.ts'
import { getFixed32, putFixed32 } from '../../base/coding.ts'
import type { Bytes, Durability } from '../../base/types.ts'
import * as Batch from '../../batch/batch-format.ts'
import { MemTable } from '../../memtable/memtable.ts'

/** A write that would make a group larger than this begins the next one; of `disk` groups, the write after it. */
export const GROUP_BYTES_MAX: number = 1024 * 1024

const INITIAL_BYTES = 4096
/** Before each batch: how long it is. */
const LENGTH_BYTES = 4
/** A buffer that one large batch made larger than this is not used again. */
const KEPT_BUFFER_BYTES = 2 * GROUP_BYTES_MAX
/**
 * Arena bytes that the largest batch can take: a MemTable has less than 2 GiB, and the group that the batch joins may have a mebibyte
 * of tiny writes in it. Two million ops in a batch of a gibibyte, almost six million tiny ones.
 */
export const BATCH_ARENA_BYTES_MAX: number = 1.75 * 1024 * 1024 * 1024
/** A MemTable's cost for an entry beyond its bytes, which the batch counts with its varints. */
const ENTRY_OVERHEAD_BYTES = MemTable.entryBytesMax(0, 0)

/** The same for a range delete. */
const RANGE_OVERHEAD_BYTES = MemTable.rangeBytesMax(0, 0)

/** Arena bytes that a batch of `count` ops, `rangeCount` of them range deletes, and `bytes` encoded bytes can take at most. */
export function arenaBytesMax(count: number, rangeCount: number, bytes: number): number {
  // Keys and values are each padded to a word.
  return (count - rangeCount) * (ENTRY_OVERHEAD_BYTES + 8) + rangeCount * (RANGE_OVERHEAD_BYTES + 8) + bytes
}

export class WriteGroup {
  durability: Durability = 'buffered'
  /** Ops of all batches. */
  opCount = 0
  /** Range deletes among them. */
  rangeCount = 0
  isSettled = false
  error: Error | undefined = undefined

  #bytes: Uint8Array<ArrayBuffer>
  #end = 0
  #batchCount = 0
  #promise: Promise<void> | undefined = undefined
  #resolve: () => void = nothing
  #reject: (error: Error) => void = nothing

  /** @param memory to begin with, taken from an earlier group; it grows as it must */
  constructor(memory: Uint8Array<ArrayBuffer> = EMPTY) {
    this.#bytes = memory
  }

  /** Bytes of all batches. */
  get bytes(): number {
    return this.#end - LENGTH_BYTES * this.#batchCount
  }

  /** Whether a write of so many bytes may join. A sync that is saved is worth the copying of memory that has to grow. */
  takes(bytes: number): boolean {
    if (this.durability === 'disk') return this.#end < GROUP_BYTES_MAX
    return this.#end === 0 || this.#end + bytes < GROUP_BYTES_MAX
  }

  /** Arena bytes that inserting this group can take at most. */
  get arenaBytes(): number {
    return arenaBytesMax(this.opCount, this.rangeCount, this.bytes)
  }

  /** Add a batch of one put. */
  addPut(key: Bytes, value: Bytes, durability: Durability): void {
    const opBytes = Batch.putBytes(key.length, value.length)
    const at = this.#begin(opBytes, 1)
    Batch.writePut(this.#bytes, at, key, value)
    this.#add(at + opBytes, 1, 0, durability)
  }

  /** Add a batch of one delete. */
  addDelete(key: Bytes, durability: Durability): void {
    const opBytes = Batch.deleteBytes(key.length)
    const at = this.#begin(opBytes, 1)
    Batch.writeDelete(this.#bytes, at, key)
    this.#add(at + opBytes, 1, 0, durability)
  }

  /** Add a batch of one range delete. */
  addDeleteRange(start: Bytes, end: Bytes, durability: Durability): void {
    const opBytes = Batch.deleteRangeBytes(start.length, end.length)
    const at = this.#begin(opBytes, 1)
    Batch.writeDeleteRange(this.#bytes, at, start, end)
    this.#add(at + opBytes, 1, 1, durability)
  }

  /**
   * Add a copy of an encoded batch, `rangeCount` of whose ops are range deletes. One without ops asks for its durability,
   * and is not logged: there it would be a marker.
   */
  addBatch(encoded: Bytes, rangeCount: number, durability: Durability): void {
    const ops = encoded.length - Batch.HEADER_BYTES
    if (ops === 0) {
      this.#require(durability)
      return
    }
    const count = Batch.batchCount(encoded, 0)
    const at = this.#begin(ops, count)
    copyBytes(encoded, Batch.HEADER_BYTES, this.#bytes, at, ops)
    this.#add(at + ops, count, rangeCount, durability)
  }

  /** Give the batches their sequence numbers, from `first` on. */
  number(first: number): void {
    let sequence = first
    const bytes = this.#bytes
    for (let at = 0; at < this.#end; at += LENGTH_BYTES + getFixed32(bytes, at)) {
      const start = at + LENGTH_BYTES
      const count = Batch.batchCount(bytes, start)
      Batch.writeHeader(bytes, start, sequence, count)
      sequence += count
    }
  }

  /** Visit the batches in order. */
  forEachBatch(visit: (bytes: Bytes, offset: number, length: number) => void): void {
    const bytes = this.#bytes
    const end = this.#end
    for (let at = 0; at < end; ) {
      const length = getFixed32(bytes, at)
      visit(bytes, at + LENGTH_BYTES, length)
      at += LENGTH_BYTES + length
    }
  }

  /** Settles with the group; made when first asked for, since synchronous writers need none. */
  get promise(): Promise<void> {
    if (this.#promise !== undefined) return this.#promise
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (this.isSettled) this.#tell()
    return this.#promise
  }

  /** The group is committed, or has failed with `error`. Only the first call counts. */
  settle(error?: Error): void {
    if (this.isSettled) return
    this.error = error
    this.#tell()
    // Not before: a call that ends where the stack ends would leave writers waiting.
    this.isSettled = true
    if (this.#bytes.length > KEPT_BUFFER_BYTES) this.#bytes = EMPTY
  }

  #tell(): void {
    if (this.error === undefined) this.#resolve()
    else this.#reject(this.error)
  }

  /** The memory of a settled group, for the next one. */
  takeMemory(): Uint8Array<ArrayBuffer> {
    const memory = this.#bytes
    this.#bytes = EMPTY
    return memory
  }

  /** A batch that the caller adds once it has written its ops. @returns where to write them */
  #begin(opBytes: number, count: number): number {
    const length = Batch.HEADER_BYTES + opBytes
    this.#reserve(LENGTH_BYTES + length)
    putFixed32(this.#bytes, this.#end, length)
    const start = this.#end + LENGTH_BYTES
    Batch.writeHeader(this.#bytes, start, 0, count)
    return start + Batch.HEADER_BYTES
  }

  /**
   * The batch that was begun is written, and belongs to the group. Not before: where the stack ends, any call may throw, and what the
   * memory held of an earlier group would be committed in the place of its ops.
   */
  #add(limit: number, opCount: number, rangeCount: number, durability: Durability): void {
    if (durability !== this.durability) this.#require(durability)
    this.#end = limit
    this.#batchCount++
    this.opCount += opCount
    this.rangeCount += rangeCount
  }

  #require(durability: Durability): void {
    // Written out: looking ranks up in an object, by name, would be megamorphic.
    if (durability === 'disk' || (durability === 'os' && this.durability === 'buffered')) this.durability = durability
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes
    if (needed > this.#bytes.length) this.#bytes = grown(this.#bytes, this.#end, Math.max(needed, INITIAL_BYTES))
  }
}

function nothing(): void {}
