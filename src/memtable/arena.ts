/**
 * Arena: the memory of one MemTable, as a bump allocator over one SharedArrayBuffer of fixed length. The operating system
 * commits its pages when they are first written, so capacity that is not used costs address space only.
 * It is filled from both ends: from below with what has a place in the order of writes, from above with what only leads there.
 * The latter is small, and every search goes through it; so close together it takes few cache lines, and few pages.
 *
 * Format      arena-layout.ts
 * Invariants  (1) nothing in an arena moves; bytes below the tail are not allocated again; bytes above the ceiling are, once they
 *                 were given back, which they are only while the arena is not shared
 *             (2) allocations are whole words, so that every tail, and every watermark, lies between two of them
 *             (3) the watermark never decreases, and what lies below it is complete
 *             (4) what lies above the ceiling is above every limit: a reader loads each link to it atomically (memtable-rep.ts)
 * Calls that do not end   V8 ends a program's call at any function's entry and any loop's end, and no catch or finally runs (a vm's
 *             timeout, Ctrl-C in a REPL); at the end of the stack, any call throws. Until the first store to a link nothing has
 *             happened then, but that some space is lost. That store also sets `isTorn`; whoever wrote all of it clears it.
 * Threads     the thread that created it writes; any thread attaches and reads (memtable-rep.ts)
 */
import { assert } from '../base/assert.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import { isSharedMemory } from '../base/shared-memory.ts'
import type { Bytes } from '../base/types.ts'
import * as Layout from './arena-layout.ts'
import { takeMemory } from './arena-memory.ts'
import { WordCopier } from './word-copier.ts'

/** Largest `capacityBytes`. */
export const CAPACITY_BYTES_MAX: number = Layout.ARENA_BYTES_MAX - Layout.HEADER_BYTES
/** Longest piece above the ceiling: a node with 16 bytes, 16 links and a terminal is one of 22 words. */
const VACANT_WORDS_MAX = 31

export class Arena {
  readonly buffer: SharedArrayBuffer
  readonly bytes: Bytes
  readonly words: Int32Array<ArrayBufferLike>
  /** Offset of the first byte after the arena. */
  readonly end: number
  /** The owner's: offset of the first free byte. For others the watermark when they attached. */
  tail: number
  /** The owner's: offset of the first byte after the free space. */
  ceiling: number
  /** The owner's: bytes of the free space that are promised, and so not free. */
  heldBack: number
  /** Bytes behind every version: 4 with checksums, else 0. */
  readonly checksumBytes: number
  /** The owner's: how bytes get here. */
  readonly copier: WordCopier
  /** The owner's: what the version that is written next has there. */
  checksum: number
  /** The owner's: whether others may have been told of the buffer. Until then nobody can see in which order it stores. */
  isShared: boolean
  /** The owner's: whether there are links to what is not complete. Between two calls that write, it tells that the last one was cut off. */
  isTorn: boolean
  /** Given back above the ceiling: by its words, the offset of a piece, whose first word leads to the next one; 0 for none. */
  readonly #vacant: Int32Array

  private constructor(buffer: SharedArrayBuffer, features: number) {
    this.buffer = buffer
    this.bytes = new Uint8Array(buffer)
    this.words = new Int32Array(buffer)
    this.end = buffer.byteLength
    this.tail = Layout.HEADER_BYTES
    this.ceiling = this.end
    this.heldBack = 0
    this.checksumBytes = (features & Layout.CHECKSUMS) === 0 ? 0 : 4
    this.copier = new WordCopier(this.words, this.bytes)
    this.checksum = 0
    this.isShared = false
    this.isTorn = false
    this.#vacant = new Int32Array(VACANT_WORDS_MAX + 1)
  }

  /**
   * @param capacityBytes for entries, the header not counted; rounded up to whole words
   * @param representation the id of what will build the entries
   * @param features what else they have: of arena-layout.ts
   * @throws InvalidArgumentError if the capacity is not an integer from 0 to CAPACITY_BYTES_MAX; RangeError if the
   *   process has no address space for it
   */
  static create(capacityBytes: number, representation: number, features: number = 0): Arena {
    if (!Number.isInteger(capacityBytes) || capacityBytes < 0 || capacityBytes > CAPACITY_BYTES_MAX) {
      throw new InvalidArgumentError(
        `capacityBytes must be an integer from 0 to ${CAPACITY_BYTES_MAX}, not ${String(capacityBytes)}`,
      )
    }
    const capacity = wordAligned(capacityBytes)
    const arena = new Arena(takeMemory(Layout.HEADER_BYTES + capacity), features)
    const { words } = arena
    words[Layout.FORMAT_VERSION] = Layout.FORMAT_VERSION_VALUE
    words[Layout.REPRESENTATION] = representation
    words[Layout.CAPACITY_BYTES] = capacity
    words[Layout.FEATURES] = features
    words[Layout.STATE] = Layout.ACTIVE
    words[Layout.SLOT_A] = Layout.HEADER_BYTES
    words[Layout.TAIL] = Layout.HEADER_BYTES
    Atomics.store(words, Layout.MAGIC, Layout.MAGIC_VALUE)
    return arena
  }

  /**
   * Another thread's arena, to read.
   * @throws InvalidArgumentError if `buffer` is not the buffer of an arena of this version of varve
   */
  static attach(buffer: unknown): Arena {
    if (!isSharedMemory(buffer)) {
      throw new InvalidArgumentError('a MemTable is attached through its SharedArrayBuffer')
    }
    const fault = headerFault(buffer)
    if (fault !== undefined) throw new InvalidArgumentError(`not a MemTable's memory: ${fault}`)
    const arena = new Arena(buffer, new Int32Array(buffer, 0, Layout.HEADER_WORDS)[Layout.FEATURES])
    arena.tail = arena.watermark()
    return arena
  }

  get representation(): number {
    return this.words[Layout.REPRESENTATION]
  }

  get features(): number {
    return this.words[Layout.FEATURES]
  }

  get capacityBytes(): number {
    return this.words[Layout.CAPACITY_BYTES]
  }

  get freeBytes(): number {
    return this.ceiling - this.tail - this.heldBack
  }

  /** Promise `bytes` more of the free space to what is allocated in the end. */
  holdBack(bytes: number): void {
    this.heldBack += bytes
  }

  /** Allocate all that is promised, which begins at the tail. */
  allocateHeldBack(): void {
    this.tail += this.heldBack
    this.heldBack = 0
  }

  /**
   * Take `bytes`, a multiple of 4, from the free space; the caller has made sure that there are as many.
   * @returns the offset of the first one; the space holds what it held
   */
  allocate(bytes: number): number {
    const offset = this.tail
    this.tail = offset + bytes
    assert(this.tail <= this.ceiling, 'an arena is asked for more than it has')
    return offset
  }

  /** As `allocate`, from above: at most VACANT_WORDS_MAX words. */
  allocateAbove(bytes: number): number {
    const vacant = this.#vacant[bytes >> 2]
    if (vacant !== 0) {
      this.#vacant[bytes >> 2] = this.words[vacant >> 2]
      return vacant
    }
    this.ceiling -= bytes
    assert(this.tail <= this.ceiling, 'an arena is asked for more than it has')
    return this.ceiling
  }

  /** Give back what `allocateAbove` gave, and nothing leads to any more. On a shared arena a reader may still be there: it stays. */
  vacate(offset: number, bytes: number): void {
    if (this.isShared) return
    this.words[offset >> 2] = this.#vacant[bytes >> 2]
    this.#vacant[bytes >> 2] = offset
  }

  /** The owner's: store a word that leads readers to what was stored before it. */
  storeLink(index: number, offset: number): void {
    this.isTorn = true
    if (this.isShared) Atomics.store(this.words, index, offset)
    else this.words[index] = offset
  }

  /** The owner's: store a word that readers may load, and that is no link. */
  storeWord(index: number, word: number): void {
    if (this.isShared) Atomics.store(this.words, index, word)
    else this.words[index] = word
  }

  /** What is published: a reader loads it once an operation, and everything below it is then visible to plain loads. */
  watermark(): number {
    return Atomics.load(this.words, Layout.TAIL)
  }

  get isFrozen(): boolean {
    return Atomics.load(this.words, Layout.STATE) === Layout.FROZEN
  }

  /** The last change to an arena; all of it is published that ever is. */
  freeze(): void {
    this.words[Layout.WRITTEN] = this.tail
    this.words[Layout.WRITTEN_ABOVE] = this.end - this.ceiling
    Atomics.store(this.words, Layout.STATE, Layout.FROZEN)
    this.copier.forget()
  }
}

/** The next multiple of 4. */
export function wordAligned(bytes: number): number {
  return (bytes + 3) & ~3
}

function headerFault(buffer: SharedArrayBuffer): string | undefined {
  // In Node 20, but not yet in the es2023 library.
  if ((buffer as SharedArrayBuffer & { readonly growable: boolean }).growable) return 'its length can change'
  if (buffer.byteLength < Layout.HEADER_BYTES) return 'it is shorter than a header'
  if (buffer.byteLength % 4 !== 0 || buffer.byteLength > Layout.ARENA_BYTES_MAX) return 'its length is out of range'
  const header = new Int32Array(buffer, 0, Layout.HEADER_WORDS)
  if (Atomics.load(header, Layout.MAGIC) !== Layout.MAGIC_VALUE) return 'it has no magic number'
  const version = header[Layout.FORMAT_VERSION]
  if (version !== Layout.FORMAT_VERSION_VALUE) return `its format version is ${version}`
  const capacity = header[Layout.CAPACITY_BYTES]
  if (capacity !== buffer.byteLength - Layout.HEADER_BYTES) return `its capacity of ${capacity} is not its length`
  const tail = Atomics.load(header, Layout.TAIL)
  if (tail < Layout.HEADER_BYTES || tail > buffer.byteLength || tail % 4 !== 0)
    return `its tail ${tail} is out of range`
  const features = header[Layout.FEATURES]
  if (features !== 0 && features !== Layout.CHECKSUMS) return `its features are ${features}`
  const state = Atomics.load(header, Layout.STATE)
  if (state !== Layout.ACTIVE && state !== Layout.FROZEN) return `its state is ${state}`
  return undefined
}
