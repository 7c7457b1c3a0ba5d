/**
 * Disk: the bytes of a disk with a volatile cache, in memory, and a log of every write and every flush in the order in which they
 * came, as dm-log-writes keeps one. From the log it makes the disks that a loss of power may leave.
 *
 * Model       a flush makes durable whatever was written before it. Of what was written since the last flush, any part may be
 *             there and any other not, down to sectors. A flush that fails makes nothing durable, a write that fails may be there
 *             in whole, in part or not at all; both lose nothing that was there before
 * Invariants  (1) pages that a disk begins with are never changed in place: disks share them
 *             (2) a position is a number of entries of the log; it stays valid
 */
import { closeSync, openSync, readSync } from 'node:fs'
import type { Prng } from '../../src/base/prng.ts'

export const PAGE_BYTES = 4096

/** By their number; a page that is missing is zeros. */
export type Pages = ReadonlyMap<number, Uint8Array>

interface LoggedWrite {
  readonly offset: number
  readonly bytes: Uint8Array
}

type Entry = LoggedWrite | 'flush'

/** What becomes of what was written since the last flush. */
export const REMAINS = ['all', 'none', 'prefix', 'all but one', 'only one', 'some', 'torn'] as const
export type Remains = (typeof REMAINS)[number]

/** What the disk refuses. */
export interface Fault {
  readonly writes: boolean
  readonly flushes: boolean
  /** From this position on. */
  readonly from: number
  /** Of writes: only those so near the first that fails, as where sectors are bad; a file system goes on if these are a file's. */
  readonly reachBytes: number
  /** So many more of them. */
  left: number
}

export class Disk {
  readonly byteLength: number
  /** What fails; of failures, it counts. */
  fault: Fault | undefined = undefined
  failures = 0
  /** Where the first write was that failed. */
  #bad: number | undefined = undefined
  readonly #base: Pages
  readonly #changed = new Map<number, Uint8Array>()
  readonly #log: Entry[] = []
  readonly #prng: Prng

  /** @param prng decides what of a write that fails is there */
  constructor(byteLength: number, base: Pages, prng: Prng) {
    this.byteLength = byteLength
    this.#base = base
    this.#prng = prng
  }

  /** Where the log ends now. */
  get position(): number {
    return this.#log.length
  }

  read(offset: number, into: Uint8Array): void {
    eachPart(offset, into.length, (page, within, at, length) => {
      const bytes = this.#changed.get(page) ?? this.#base.get(page)
      if (bytes === undefined) into.fill(0, at, at + length)
      else into.set(bytes.subarray(within, within + length), at)
    })
  }

  /** @param bytes are the disk's from now on @returns whether it succeeded */
  write(offset: number, bytes: Uint8Array): boolean {
    const isRefused = this.#isRefused('writes', offset)
    const written = isRefused ? bytes.subarray(0, this.#prng.below(3) * Math.floor(bytes.length / 2)) : bytes
    if (written.length > 0) {
      this.#log.push({ offset, bytes: written })
      this.#apply(offset, written)
    }
    return !isRefused
  }

  /** @returns whether it succeeded */
  flush(): boolean {
    if (this.#isRefused('flushes')) return false
    this.#log.push('flush')
    return true
  }

  /** Positions of the log right behind which a flush comes. */
  flushes(): number[] {
    return [...this.#log.keys()].filter((i) => this.#log[i] === 'flush')
  }

  /** This disk as it was when it began. */
  fresh(): Disk {
    return new Disk(this.byteLength, this.#base, this.#prng)
  }

  /** What is left if power is lost at a position; a disk of its own, with an empty log. */
  cutAt(position: number, remains: Remains, sectorBytes: number, prng: Prng): Disk {
    const flushed = this.#log.slice(0, position).lastIndexOf('flush')
    const image = new Disk(this.byteLength, this.#base, prng)
    for (const entry of this.#log.slice(0, Math.max(0, flushed))) {
      if (entry !== 'flush') image.#apply(entry.offset, entry.bytes)
    }
    const unsure = this.#log.slice(flushed + 1, position) as LoggedWrite[]
    for (const { offset, bytes } of kept(unsure, remains, sectorBytes, prng)) image.#apply(offset, bytes)
    const pages = new Map(this.#base)
    for (const [page, bytes] of image.#changed) pages.set(page, bytes)
    return new Disk(this.byteLength, pages, prng)
  }

  #isRefused(what: 'writes' | 'flushes', offset: number = 0): boolean {
    const { fault } = this
    if (fault === undefined || !fault[what] || fault.left <= 0 || this.position < fault.from) return false
    if (what === 'writes') {
      this.#bad ??= offset
      if (Math.abs(offset - this.#bad) > fault.reachBytes) return false
    }
    fault.left--
    this.failures++
    return true
  }

  #apply(offset: number, bytes: Uint8Array): void {
    eachPart(offset, bytes.length, (page, within, at, length) => {
      let own = this.#changed.get(page)
      if (own === undefined) {
        own = this.#base.get(page)?.slice() ?? new Uint8Array(PAGE_BYTES)
        this.#changed.set(page, own)
      }
      own.set(bytes.subarray(at, at + length), within)
    })
  }
}

/** The pages of a file that holds a disk, without those that are zeros. */
export function pagesOf(path: string): Pages {
  const pages = new Map<number, Uint8Array>()
  const chunk = Buffer.alloc(256 * PAGE_BYTES)
  const zeros = Buffer.alloc(chunk.length)
  const fd = openSync(path, 'r')
  try {
    for (let offset = 0; ; offset += chunk.length) {
      const length = readSync(fd, chunk, 0, chunk.length, offset)
      if (length === 0) return pages
      // Nearly all of them.
      if (chunk.equals(zeros)) continue
      for (let at = 0; at < length; at += PAGE_BYTES) {
        // Not a Buffer, of which a slice is no copy.
        const bytes = new Uint8Array(chunk.subarray(at, at + PAGE_BYTES))
        if (bytes.some((byte) => byte !== 0)) pages.set((offset + at) / PAGE_BYTES, bytes)
      }
    }
  } finally {
    closeSync(fd)
  }
}

function* kept(
  writes: readonly LoggedWrite[],
  remains: Remains,
  sectorBytes: number,
  prng: Prng,
): Generator<LoggedWrite> {
  const one = prng.below(writes.length + (remains === 'prefix' ? 1 : 0))
  for (const [i, write] of writes.entries()) {
    if (remains === 'torn') yield* sectorsOf(write, sectorBytes, prng)
    else if (isKept(i, one, remains, prng)) yield write
  }
}

function isKept(i: number, one: number, remains: Remains, prng: Prng): boolean {
  switch (remains) {
    case 'all':
      return true
    case 'prefix':
      return i < one
    case 'all but one':
      return i !== one
    case 'only one':
      return i === one
    case 'some':
      return prng.below(2) === 0
    default:
      return false
  }
}

/** Of one write: all sectors, none, those up to one, or any. */
function* sectorsOf({ offset, bytes }: LoggedWrite, sectorBytes: number, prng: Prng): Generator<LoggedWrite> {
  const sectors = Math.ceil(bytes.length / sectorBytes)
  const how = prng.below(4)
  const limit = [sectors, 0, prng.below(sectors + 1), sectors][how]
  for (let i = 0; i < limit; i++) {
    if (how === 3 && prng.below(2) === 0) continue
    yield { offset: offset + i * sectorBytes, bytes: bytes.subarray(i * sectorBytes, (i + 1) * sectorBytes) }
  }
}

/** Calls for each page that a range touches: its number, and where the part lies within the page and within the range. */
function eachPart(
  offset: number,
  length: number,
  part: (page: number, within: number, at: number, length: number) => void,
): void {
  for (let at = 0; at < length; ) {
    const within = (offset + at) % PAGE_BYTES
    const step = Math.min(PAGE_BYTES - within, length - at)
    part(Math.floor((offset + at) / PAGE_BYTES), within, at, step)
    at += step
  }
}
