/**
 * KeySorter: the order of many keys that lie anywhere in one buffer, all at once: what a sorted vector, and a large batch, are
 * put in order by.
 *
 * In bytewise order a key is represented by its bytes from where the keys of its group begin to differ, as digits of one number:
 * at each place the base is the number of different bytes there, so that a decimal digit takes a tenth more than three bits, and
 * a byte that all share none. In one 64-bit word with the key's own number, the runtime's own sort puts those in order;
 * groups that are still alike are sorted again from where they may differ. Other orders are left to their comparator.
 * Format   word := digits · 2^numberBits + number, as many digits as fit
 *          symbol := 0 behind the key's end | its byte + 1; digit := how many lesser symbols there are at the place
 * Source   measured: docs/performance.md, recovery
 */
import { compareBytes } from '../base/bytes.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import type { Bytes } from '../base/types.ts'

/** Smaller groups are sorted by insertion. */
const INSERTION_MAX = 12
/** Bytes that a word represents at most. */
const PLACES_MAX = 48
const SYMBOLS = 257
const WORD_BITS = 64
/** What doubles count exactly. */
const DIGITS_MAX: number = 2 ** 53
const LOW: number = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1
const HIGH: number = 1 - LOW

export class KeySorter {
  readonly #comparator: Comparator
  readonly #isBytewise: boolean
  /** By place and symbol: whether it occurs, then its digit. */
  readonly #table: Uint16Array
  /** Places with more than one symbol, and how many those have. */
  readonly #places: Int32Array
  readonly #bases: Int32Array
  #placeCount: number
  /** Words of the table that may not be 0. */
  #used: number
  #bytes: Bytes
  #offsets: Int32Array
  #lengths: Int32Array
  #order: Int32Array
  #numberBits: number

  constructor(comparator: Comparator) {
    this.#comparator = comparator
    this.#isBytewise = comparator === bytewiseComparator
    this.#table = new Uint16Array(PLACES_MAX * SYMBOLS)
    this.#places = new Int32Array(PLACES_MAX)
    this.#bases = new Int32Array(PLACES_MAX)
    this.#placeCount = 0
    this.#used = 0
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
    this.#table.fill(0, 0, this.#used)
    const settled = this.#survey(from, to, begin)
    if (settled > begin) this.#sortByDigits(from, to, begin, settled)
    // All of them are the same.
    else for (let i = from + 1; i < to; i++) this.#order[i] = ~this.#order[i]
  }

  /** @param settled up to where the digits tell all */
  #sortByDigits(from: number, to: number, begin: number, settled: number): void {
    const order = this.#order
    const count = to - from
    const words = new BigUint64Array(count)
    const halves = new Uint32Array(words.buffer)
    const numbers = 2 ** this.#numberBits
    const unit = 2 ** 32 / numbers
    for (let i = 0; i < count; i++) {
      const number = order[from + i]
      const digits = this.#digits(number, begin)
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
      if (end - start > 1) this.#sortGroup(from + start, from + end, settled)
      start = end
    }
  }

  /** Find which bytes occur from byte `begin` on. @returns up to where digits fit into a word; `begin` if all keys end there */
  #survey(from: number, to: number, begin: number): number {
    const bytes = this.#bytes
    const table = this.#table
    let shortest = PLACES_MAX
    let longest = 0
    for (let i = from; i < to; i++) {
      const number = this.#order[i]
      const at = this.#offsets[number] + begin
      const rest = this.#lengths[number] - begin
      const end = rest < PLACES_MAX ? rest : PLACES_MAX
      if (end < shortest) shortest = end
      if (end > longest) longest = end
      for (let place = 0; place < end; place++) table[place * SYMBOLS + bytes[at + place] + 1] = 1
    }
    for (let place = shortest; place < longest; place++) table[place * SYMBOLS] = 1
    this.#used = longest * SYMBOLS
    return begin + this.#number(longest)
  }

  /** Turn what occurs at so many places into digits. @returns how many of them fit into a word */
  #number(count: number): number {
    const table = this.#table
    const limit = Math.min(DIGITS_MAX, 2 ** (WORD_BITS - this.#numberBits))
    let product = 1
    this.#placeCount = 0
    for (let place = 0; place < count; place++) {
      let base = 0
      for (let i = place * SYMBOLS; i < (place + 1) * SYMBOLS; i++) if (table[i] !== 0) table[i] = base++
      product *= base
      if (product > limit) return place
      if (base === 1) continue
      this.#places[this.#placeCount] = place
      this.#bases[this.#placeCount++] = base
    }
    return count
  }

  /** What a key is represented by. */
  #digits(number: number, begin: number): number {
    const bytes = this.#bytes
    const at = this.#offsets[number] + begin
    const rest = this.#lengths[number] - begin
    let digits = 0
    for (let i = 0; i < this.#placeCount; i++) {
      const place = this.#places[i]
      const symbol = place < rest ? bytes[at + place] + 1 : 0
      digits = digits * this.#bases[i] + this.#table[place * SYMBOLS + symbol]
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
