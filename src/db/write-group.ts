/**
 * WriteGroup: the batches that are committed together. They lie encoded, one after another, in one buffer; each becomes
 * one record of the log. The whole group costs one write(2), has the strongest durability that any of its writers asked
 * for, and shares one outcome: there is one promise for all of them.
 */

import { copyBytes, EMPTY } from '../base/bytes.ts'
import type { Bytes, Durability } from '../base/types.ts'
import * as Batch from '../batch/batch-format.ts'
import { MemTable } from '../memtable/memtable.ts'

/** Once a group holds this much, later writers begin the next one. */
export const GROUP_BYTES_MAX: number = 1024 * 1024

const INITIAL_BYTES = 4096
/** A buffer that one large batch made larger than this is not used again. */
const KEPT_BUFFER_BYTES = 2 * GROUP_BYTES_MAX
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
  /** Where each batch starts; it ends where the next one starts. */
  readonly #starts: number[] = []
  #promise: Promise<void> | undefined = undefined
  #resolve: () => void = nothing
  #reject: (error: Error) => void = nothing

  /** @param buffer memory to begin with, given up by an earlier group; a fresh one is made if there is none */
  constructor(buffer: Uint8Array<ArrayBuffer> | undefined) {
    this.#bytes = buffer ?? new Uint8Array(INITIAL_BYTES)
  }

  /** Bytes of all batches. */
  get bytes(): number {
    return this.#end
  }

  get isFull(): boolean {
    return this.#end >= GROUP_BYTES_MAX
  }

  /** Arena bytes that inserting this group can take at most. */
  get arenaBytes(): number {
    return arenaBytesMax(this.opCount, this.rangeCount, this.#end)
  }

  /** Add a batch of one put. */
  addPut(key: Bytes, value: Bytes, durability: Durability): void {
    const start = this.#begin(Batch.putBytes(key.length, value.length), 1, durability)
    this.#end = Batch.writePut(this.#bytes, start + Batch.HEADER_BYTES, key, value)
  }

  /** Add a batch of one delete. */
  addDelete(key: Bytes, durability: Durability): void {
    const start = this.#begin(Batch.deleteBytes(key.length), 1, durability)
    this.#end = Batch.writeDelete(this.#bytes, start + Batch.HEADER_BYTES, key)
  }

  /** Add a batch of one range delete. */
  addDeleteRange(start: Bytes, end: Bytes, durability: Durability): void {
    const at = this.#begin(Batch.deleteRangeBytes(start.length, end.length), 1, durability)
    this.#end = Batch.writeDeleteRange(this.#bytes, at + Batch.HEADER_BYTES, start, end)
    this.rangeCount++
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
    const start = this.#begin(ops, Batch.batchCount(encoded, 0), durability)
    copyBytes(encoded, Batch.HEADER_BYTES, this.#bytes, start + Batch.HEADER_BYTES, ops)
    this.#end = start + encoded.length
    this.rangeCount += rangeCount
  }

  /** Give the batches their sequence numbers, from `first` on. */
  number(first: number): void {
    let sequence = first
    for (const start of this.#starts) {
      const count = Batch.batchCount(this.#bytes, start)
      Batch.writeHeader(this.#bytes, start, sequence, count)
      sequence += count
    }
  }

  /** Visit the batches in order. */
  forEachBatch(visit: (bytes: Bytes, offset: number, length: number) => void): void {
    for (let i = 0; i < this.#starts.length; i++) {
      const start = this.#starts[i]
      visit(this.#bytes, start, (this.#starts[i + 1] ?? this.#end) - start)
    }
  }

  /** Settles with the group; made when first asked for, since synchronous writers need none. */
  get promise(): Promise<void> {
    this.#promise ??= new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    return this.#promise
  }

  /**
   * The group is committed, or has failed with `error`. Only the first call counts.
   * @returns the group's memory, for the next group; undefined if it is not worth keeping
   */
  settle(error?: Error): Uint8Array<ArrayBuffer> | undefined {
    if (this.isSettled) return undefined
    this.isSettled = true
    this.error = error
    if (error === undefined) this.#resolve()
    else this.#reject(error)
    const buffer = this.#bytes
    this.#bytes = EMPTY
    return buffer.length <= KEPT_BUFFER_BYTES ? buffer : undefined
  }

  #begin(opBytes: number, count: number, durability: Durability): number {
    const start = this.#end
    this.#reserve(Batch.HEADER_BYTES + opBytes)
    Batch.writeHeader(this.#bytes, start, 0, count)
    this.#starts.push(start)
    this.opCount += count
    this.#require(durability)
    return start
  }

  #require(durability: Durability): void {
    // In words: a place where an object is asked for names that differ is megamorphic.
    if (durability === 'disk' || (durability === 'os' && this.durability === 'buffered')) this.durability = durability
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = grown
  }
}

function nothing(): void {}
