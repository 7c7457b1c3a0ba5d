/**
 * KeySorter: the order of many keys that lie anywhere in one buffer, all at once: what a sorted vector, and a large batch, are
 * put in order by.
 *
 * In bytewise order a key is represented by its bytes from where the keys of its group begin to differ, as digits of one number:
 * at each place the base is the number of values that occur there, so that decimal digits take a tenth more than three bits. In
 * one 64-bit word with the key's own number, the runtime's own sort puts those in order; groups that are still alike
 * are sorted again from where they may differ. Other orders are left to their comparator.
 * Format   word := digits · 2^numberBits + number, as many digits as fit
 *          digit := 0 behind the key's end | its byte + 1, less the least that occurs at the place
 * Source   measured (500 k random 16-byte keys): docs/performance.md, recovery
 */
import { compareBytes } from '../base/bytes.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import type { Bytes } from '../base/types.ts'

/** Smaller groups are sorted by insertion. */
const INSERTION_MAX = 12
/** Bytes that a word represents at most. */
const PLACES_MAX = 12
const WORD_BITS = 64
/** What doubles count exactly. */
const DIGITS_MAX: number = 2 ** 53
const LOW: number = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1
const HIGH: number = 1 - LOW

export class KeySorter {
  readonly #comparator: Comparator
  readonly #isBytewise: boolean
  readonly #least: Int32Array
  readonly #most: Int32Array
  #bytes: Bytes
  #offsets: Int32Array
  #lengths: Int32Array
  #order: Int32Array
  #numberBits: number

  constructor(comparator: Comparator) {
    this.#comparator = comparator
    this.#isBytewise = comparator === bytewiseComparator
    this.#least = new Int32Array(PLACES_MAX)
    this.#most = new Int32Array(PLACES_MAX)
    this.#bytes = new Uint8Array(0)
    this.#offsets = new Int32Array(0)
    this.#lengths = new Int32Array(0)
    this.#order = this.#offsets
    this.#numberBits = 0
  }

  /**
   * Sort `count` keys; key i is bytes[offsets[i], offsets[i] + lengths[i]).
   * @returns their numbers, keys ascending; those of the same key ascend, and all of them but the first are inverted (~i)
   */
  sort(bytes: Bytes, offsets: Int32Array, lengths: Int32Array, count: number): Int32Array {
    const order = new Int32Array(count)
    for (let i = 0; i < count; i++) order[i] = i
    this.#bytes = bytes
    this.#offsets = offsets
    this.#lengths = lengths
    this.#order = order
    this.#numberBits = 32 - Math.clz32(count)
    if (this.#isBytewise) this.#sortGroup(0, count, 0)
    else this.#compareAll(count)
    return order
  }

  /** Sort order[from, to), whose keys share `shared` bytes, or what they have of them, and whose numbers ascend. */
  #sortGroup(from: number, to: number, shared: number): void {
    if (to - from <= INSERTION_MAX) {
      this.#insertAll(from, to, shared)
      return
    }
    const begin = this.#commonPrefix(from, to, shared)
    const places = this.#survey(from, to, begin)
    if (places > 0) this.#sortByDigits(from, to, begin, places)
    else for (let i = from + 1; i < to; i++) this.#order[i] = ~this.#order[i]
  }

  #sortByDigits(from: number, to: number, begin: number, places: number): void {
    const order = this.#order
    const count = to - from
    const words = new BigUint64Array(count)
    const halves = new Uint32Array(words.buffer)
    const numbers = 2 ** this.#numberBits
    const unit = 2 ** 32 / numbers
    for (let i = 0; i < count; i++) {
      const number = order[from + i]
      const digits = this.#digits(number, begin, places)
      const high = Math.floor(digits / unit)
      halves[2 * i + HIGH] = high
      halves[2 * i + LOW] = (digits - high * unit) * numbers + number
    }
    words.sort()
    const mask = numbers - 1
    for (let i = 0; i < count; i++) order[from + i] = halves[2 * i + LOW] & mask
    for (let start = 0; start < count; ) {
      const high = halves[2 * start + HIGH]
      const low = halves[2 * start + LOW] & ~mask
      let end = start + 1
      while (end < count && halves[2 * end + HIGH] === high && (halves[2 * end + LOW] & ~mask) === low) end++
      if (end - start > 1) this.#sortGroup(from + start, from + end, begin + places)
      start = end
    }
  }

  /** Find which digits occur from byte `begin` on. @returns how many places fit into a word; 0 if all keys end there */
  #survey(from: number, to: number, begin: number): number {
    const bytes = this.#bytes
    const least = this.#least.fill(256)
    const most = this.#most.fill(0)
    for (let i = from; i < to; i++) {
      const number = this.#order[i]
      const at = this.#offsets[number] + begin
      const rest = this.#lengths[number] - begin
      for (let place = 0; place < PLACES_MAX; place++) {
        const digit = place < rest ? bytes[at + place] + 1 : 0
        if (digit < least[place]) least[place] = digit
        if (digit > most[place]) most[place] = digit
      }
    }
    if (most[0] === 0) return 0
    const limit = Math.min(DIGITS_MAX, 2 ** (WORD_BITS - this.#numberBits))
    let places = 0
    for (let product = 1; places < PLACES_MAX; places++) {
      product *= most[places] - least[places] + 1
      if (product > limit) break
    }
    return places
  }

  /** What a key is represented by. */
  #digits(number: number, begin: number, places: number): number {
    const bytes = this.#bytes
    const least = this.#least
    const most = this.#most
    const at = this.#offsets[number] + begin
    const rest = this.#lengths[number] - begin
    let digits = 0
    for (let place = 0; place < places; place++) {
      const digit = place < rest ? bytes[at + place] + 1 : 0
      digits = digits * (most[place] - least[place] + 1) + digit - least[place]
    }
    return digits
  }

  /** Leading bytes that all keys share, `shared` at least if no key is shorter. */
  #commonPrefix(from: number, to: number, shared: number): number {
    const bytes = this.#bytes
    const first = this.#offsets[this.#order[from]]
    let common = this.#lengths[this.#order[from]]
    for (let i = from + 1; i < to; i++) {
      const number = this.#order[i]
      const length = this.#lengths[number]
      const at = this.#offsets[number]
      if (length < common) common = length
      let same = shared
      while (same < common && bytes[at + same] === bytes[first + same]) same++
      if (same < common) common = same
    }
    return common
  }

  #insertAll(from: number, to: number, shared: number): void {
    const order = this.#order
    for (let i = from + 1; i < to; i++) {
      const number = order[i]
      let place = i
      for (; place > from && this.#compare(order[place - 1], number, shared) > 0; place--)
        order[place] = order[place - 1]
      order[place] = number
    }
    this.#markRepeats(from, to, shared)
  }

  #markRepeats(from: number, to: number, shared: number): void {
    const order = this.#order
    for (let i = to - 1; i > from; i--) if (this.#compare(order[i - 1], order[i], shared) === 0) order[i] = ~order[i]
  }

  /** Order of two keys that share `shared` bytes; if one is shorter, they are the same. In other orders it is 0. */
  #compare(a: number, b: number, shared: number): number {
    const bytes = this.#bytes
    const aOff = this.#offsets[a] + shared
    const bOff = this.#offsets[b] + shared
    const aLen = this.#lengths[a] - shared
    const bLen = this.#lengths[b] - shared
    return this.#isBytewise
      ? compareBytes(bytes, aOff, aLen, bytes, bOff, bLen)
      : this.#comparator.compare(bytes, aOff, aLen, bytes, bOff, bLen)
  }

  /** Typed arrays are sorted stably: numbers of the same key stay in order. */
  #compareAll(count: number): void {
    this.#order.sort((a, b) => this.#compare(a, b, 0))
    this.#markRepeats(0, count, 0)
  }
}
