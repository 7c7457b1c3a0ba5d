/**
 * Mutator: makes an input of another one, by one to six changes of the kinds that decoders trip over: bits, numbers at the
 * ends of their ranges, varints that are too long, pieces cut out, doubled, moved or taken from elsewhere.
 *
 * The input is bytes[0, length); it is kept in one buffer, which the next one overwrites.
 */
import type { Prng } from '../../src/base/prng.ts'
import type { Bytes } from '../../src/base/types.ts'

/** Inputs do not grow beyond: decoders that are wrong about small inputs are wrong. */
const BYTES_MAX = 16 * 1024

const BYTES = [0, 1, 7, 8, 0x0f, 0x10, 0x7f, 0x80, 0xfe, 0xff]
const WORDS = [0, 1, 2, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff]
/** Encoded: 0, 127, 128, 2^32 − 1, 2^32, 2^53 − 1, 2^53, 2^64 − 1; one of eleven bytes, one that does not end. */
const VARINTS: readonly (readonly number[])[] = [
  [0],
  [0x7f],
  [0x80, 1],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0x80, 0x80, 0x80, 0x80, 0x10],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
]

export class Mutator {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(BYTES_MAX)
  length = 0

  /** The input as a view, for as long as it is this one. */
  get view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length)
  }

  load(input: Bytes): void {
    this.length = Math.min(input.length, BYTES_MAX)
    this.bytes.set(input.length > BYTES_MAX ? input.subarray(0, BYTES_MAX) : input)
  }

  /** One of the seeds, changed; now and then as it is. */
  make(seeds: readonly Bytes[], prng: Prng): void {
    this.load(seeds[prng.below(seeds.length)])
    if (prng.below(64) === 0) return
    this.change(seeds, prng)
  }

  /** Change what is there. */
  change(seeds: readonly Bytes[], prng: Prng): void {
    for (let left = 1 + (prng.below(3) === 0 ? prng.below(6) : 0); left > 0; left--) this.#changeOnce(seeds, prng)
  }

  #changeOnce(seeds: readonly Bytes[], prng: Prng): void {
    const { bytes, length } = this
    const at = prng.below(length + 1)
    const isInside = at < length
    switch (prng.below(12)) {
      case 0:
      case 1:
        if (isInside) bytes[at] ^= 1 << prng.below(8)
        return
      case 2:
        if (isInside) bytes[at] = BYTES[prng.below(BYTES.length)]
        return
      case 3:
        if (isInside) bytes[at] = prng.next32() & 0xff
        return
      case 4:
        if (isInside) bytes[at] += prng.below(9) - 4
        return
      case 5:
        this.#putWord(at, WORDS[prng.below(WORDS.length)], 1 << prng.below(3))
        return
      case 6:
      case 7:
        this.#replace(at, prng.below(2), VARINTS[prng.below(VARINTS.length)])
        return
      case 8:
        this.length = prng.below(3) === 0 ? at : Math.max(0, length - 1 - prng.below(8))
        return
      case 9:
        this.#remove(at, 1 + prng.below(16))
        return
      case 10:
        this.#insertFrom(at, bytes.slice(0, length), prng)
        return
      default:
        this.#insertFrom(at, seeds[prng.below(seeds.length)], prng)
    }
  }

  #putWord(at: number, word: number, width: number): void {
    for (let i = 0; i < width && at + i < this.length; i++) this.bytes[at + i] = word >>> (8 * i)
  }

  #replace(at: number, old: number, by: readonly number[]): void {
    const removed = Math.min(old, this.length - at)
    if (this.length - removed + by.length > BYTES_MAX) return
    this.bytes.copyWithin(at + by.length, at + removed, this.length)
    for (let i = 0; i < by.length; i++) this.bytes[at + i] = by[i]
    this.length += by.length - removed
  }

  #remove(at: number, count: number): void {
    const removed = Math.min(count, this.length - at)
    this.bytes.copyWithin(at, at + removed, this.length)
    this.length -= removed
  }

  #insertFrom(at: number, source: Bytes, prng: Prng): void {
    if (source.length === 0) return
    const from = prng.below(source.length)
    const count = Math.min(
      1 + prng.below(prng.below(4) === 0 ? 256 : 16),
      source.length - from,
      BYTES_MAX - this.length,
    )
    this.bytes.copyWithin(at + count, at, this.length)
    this.bytes.set(source.subarray(from, from + count), at)
    this.length += count
  }
}
