/**
 * Crc32cFold: makes a long input short, with the same CRC-32C, in vectors of 16 bytes: a program in WebAssembly, which every
 * host has that varve runs on, and which is put together here. A block's checksum takes two fifths of its time in JavaScript, where
 * each byte costs a load from a table (docs/performance.md). Where there is none (no vectors, or a policy that forbids it), crc32c.ts
 * does without.
 *
 * How      A CRC is a remainder, modulo the polynomial, and what comes early in the input may be replaced by anything later with
 *          the same remainder. Four bytes that lie 32 bytes apart are 32 bits whose remainders are a basis of all remainders (were
 *          they 16 apart, they would not be): so four bytes can be replaced by the four that lie 128 bytes on, by adding to those
 *          the image of a linear map. 128 bytes are 32 such fours, and byte i of the first of four vectors belongs to byte i of the
 *          other three. The map is looked up: half a byte (16 values) gives four bytes, and one instruction looks up 16 at once.
 *          By RELAXED where the host has that, otherwise by STRICT.
 * Memory   [0, 128) the input, folded; from TABLES_AT the tables; [INPUT_AT, INPUT_AT + PIECE_BYTES) a piece of the input
 * Threads  each thread has its own
 * Source   for the lookup of half bytes: Plank, Greenan, Miller, Screaming Fast Galois Field Arithmetic (2013)
 */
import type { Bytes } from './types.ts'

/** Reflected: bit 31 is x^0. */
const POLYNOMIAL = 0x82f63b78
const ONE = 0x80000000
/** What is folded into the next as much. */
export const STRIDE_BYTES = 128
const VECTOR_BYTES = 16
/** Between bytes that are folded together. */
const SPACING_BYTES = 32
const GROUPS = SPACING_BYTES / VECTOR_BYTES
/** Input is copied in pieces that the processor's nearest cache holds. */
const PIECE_BYTES = 16 * 1024
const TABLES_AT = STRIDE_BYTES
const INPUT_AT = 1024

/** What is used of WebAssembly, which the compiler knows of no host that varve is compiled for. */
interface Assembler {
  readonly Module: new (program: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object) => { readonly exports: Exports }
}

interface Exports {
  readonly m: { readonly buffer: ArrayBuffer }
  readonly f: (begin: number, limit: number) => void
}

export class Crc32cFold {
  /** Begins with the input that is left, STRIDE_BYTES of it. */
  readonly memory: Uint8Array<ArrayBuffer>
  /** The same, as words of the host. */
  readonly words: Int32Array<ArrayBuffer>
  readonly #run: (begin: number, limit: number) => void

  private constructor({ m, f }: Exports, tables: Uint8Array) {
    this.memory = new Uint8Array(m.buffer)
    this.words = new Int32Array(m.buffer)
    this.memory.set(tables, TABLES_AT)
    this.#run = f
  }

  /** Takes some tenths of a millisecond. @returns undefined if this host has no vectors, or no memory for them */
  static create(): Crc32cFold | undefined {
    return Crc32cFold.#assemble(RELAXED) ?? Crc32cFold.#assemble(STRICT)
  }

  static #assemble(lookup: Lookup): Crc32cFold | undefined {
    try {
      const { Module, Instance } = (globalThis as unknown as { WebAssembly: Assembler }).WebAssembly
      const tables = halfByteTables()
      return new Crc32cFold(new Instance(new Module(program(tables, lookup))).exports, tables)
    } catch {
      return undefined
    }
  }

  /**
   * Fold bytes[offset, offset + length) into STRIDE_BYTES in `memory`: their CRC from state 0 is that of all, from `state`.
   * @param length a multiple of STRIDE_BYTES, at least two of them, within `bytes`
   * @param state  the CRC so far, not inverted
   */
  fold(bytes: Bytes, offset: number, length: number, state: number): void {
    const { memory } = this
    const end = offset + length
    let at = INPUT_AT
    for (let begin = offset; begin < end; begin += PIECE_BYTES) {
      const limit = Math.min(begin + PIECE_BYTES, end)
      // A few bytes more cost less than a view without them.
      const isNearlyAll = begin === 0 && bytes.length - limit <= STRIDE_BYTES
      memory.set(isNearlyAll ? bytes : bytes.subarray(begin, limit), at)
      if (begin === offset) {
        memory[at] ^= state
        memory[at + 1] ^= state >>> 8
        memory[at + 2] ^= state >>> 16
        memory[at + 3] ^= state >>> 24
      }
      this.#run(INPUT_AT, at + limit - begin - STRIDE_BYTES)
      if (limit === end) return
      // What is left of a piece goes before the next one.
      memory.copyWithin(INPUT_AT, 0, STRIDE_BYTES)
      at = INPUT_AT + STRIDE_BYTES
    }
  }
}

/** The tables of the map: for half byte h of the four, and byte b of the image, 16 bytes at ((h · 4) + b) · 16. */
function halfByteTables(): Uint8Array {
  const coordinates = inverseOf(basisAt(0))
  const images = basisAt(STRIDE_BYTES).map(coordinates)
  const tables = new Uint8Array(8 * 4 * 16)
  for (let half = 0; half < 8; half++) {
    for (let value = 0; value < 16; value++) {
      let image = 0
      for (let bit = 0; bit < 4; bit++) if (((value >>> bit) & 1) === 1) image ^= images[half * 4 + bit]
      for (let byte = 0; byte < 4; byte++) tables[(half * 4 + byte) * 16 + value] = image >>> (8 * byte)
    }
  }
  return tables
}

/** The remainders of the bits of four bytes, as far before the end of the input as said; bit k of byte q is number 8q + k. */
function basisAt(bytes: number): number[] {
  const powers = powersOfX(8 * (bytes + SPACING_BYTES * 3 + 1))
  return Array.from({ length: 32 }, (_, i) => powers[8 * (bytes + SPACING_BYTES * (3 - (i >>> 3))) + 7 - (i & 7)])
}

/** The remainders of x^0, x^1 and so on. */
function powersOfX(count: number): Uint32Array {
  const powers = new Uint32Array(count).fill(ONE)
  for (let i = 1; i < count; i++) {
    const power = powers[i - 1]
    powers[i] = (power & 1) === 1 ? (power >>> 1) ^ POLYNOMIAL : power >>> 1
  }
  return powers
}

/** @returns what tells of which members of the basis a remainder is the sum, a bit each: Gauss's elimination */
function inverseOf(basis: readonly number[]): (remainder: number) => number {
  const values = new Uint32Array(32)
  const sums = new Uint32Array(32)
  basis.forEach((member, i) => {
    let value = member
    let sum = 1 << i
    for (let bit = 31; bit >= 0 && value !== 0; bit--) {
      if (((value >>> bit) & 1) === 0) continue
      if (values[bit] === 0) {
        values[bit] = value
        sums[bit] = sum
        return
      }
      value ^= values[bit]
      sum ^= sums[bit]
    }
  })
  return (remainder) => {
    let value = remainder
    let sum = 0
    for (let bit = 31; bit >= 0; bit--) {
      if (((value >>> bit) & 1) === 0) continue
      value ^= values[bit]
      sum ^= sums[bit]
    }
    return sum
  }
}

/** Bytes that WebAssembly's binary format is made of. */
const LOOP = [0x03, 0x40]
const REPEAT_IF = [0x0d, 0]
const END = [0x0b]
const I32_ADD = [0x6a]
const I32_LESS = [0x49]
const V128_LOAD = 0
const V128_STORE = 11
const V128_CONST = 12
const V128_AND = vector(78)
const V128_XOR = vector(81)
const SHIFT_RIGHT = vector(141)
const TYPE_I32 = 0x7f
const TYPE_V128 = 0x7b
const TYPE_FUNCTION = 0x60
const EXPORT_FUNCTION = 0
const EXPORT_MEMORY = 2
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

/** How 16 half bytes are looked up: what pushes the table at an offset of the tables, and what looks up in it. */
interface Lookup {
  readonly pushTable: (tables: Uint8Array, at: number) => number[]
  readonly swizzle: readonly number[]
}

/** An index of 16 or more gives 0, which takes an instruction more; no half byte is one. Tables as constants, for Node.js 20 (measured). */
const STRICT: Lookup = {
  pushTable: (tables, at) => vector(V128_CONST, ...tables.subarray(at, at + VECTOR_BYTES)),
  swizzle: vector(14),
}

/** Whatever such an index gives. Tables in memory: four instructions for each constant would take twice as long. */
const RELAXED: Lookup = {
  pushTable: (_, at) => [...number(0), ...load(TABLES_AT + at)],
  swizzle: vector(256),
}

/** The module: `m`, a page of memory; `f(begin, limit)` folds from `begin` until what is left would have begun at `limit`. */
function program(tables: Uint8Array, lookup: Lookup): Uint8Array<ArrayBuffer> {
  const body = [1, LOCALS, TYPE_V128, ...instructions(tables, lookup), ...END]
  return Uint8Array.from([
    ...HEADER,
    ...section(1, [1, TYPE_FUNCTION, 2, TYPE_I32, TYPE_I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, 1, 0x6d, EXPORT_MEMORY, 0, 1, 0x66, EXPORT_FUNCTION, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ])
}

/** The function's variables: its two parameters, what is left, and the half bytes of four of those. */
const BEGIN = 0
const LIMIT = 1
const FIRST_LEFT = 2
const FIRST_HALF = FIRST_LEFT + STRIDE_BYTES / VECTOR_BYTES
const LOCALS = STRIDE_BYTES / VECTOR_BYTES + 8

function instructions(tables: Uint8Array, lookup: Lookup): number[] {
  const left = Array.from({ length: STRIDE_BYTES / VECTOR_BYTES }, (_, i) => i)
  const groups = Array.from({ length: GROUPS }, (_, i) => i)
  return [
    ...left.flatMap((i) => [...get(BEGIN), ...load(i * VECTOR_BYTES), ...set(FIRST_LEFT + i)]),
    ...LOOP,
    ...groups.flatMap((group) => foldGroup(group, tables, lookup)),
    ...[...get(BEGIN), ...number(STRIDE_BYTES), ...I32_ADD, ...set(BEGIN)],
    ...[...get(BEGIN), ...get(LIMIT), ...I32_LESS, ...REPEAT_IF, ...END],
    ...left.flatMap((i) => [
      ...number(0),
      ...get(FIRST_LEFT + i),
      ...vector(V128_STORE, 0, ...unsigned(i * VECTOR_BYTES)),
    ]),
  ]
}

/** Replace the four vectors of a group by those that lie a stride on, with the images of these added. */
function foldGroup(group: number, tables: Uint8Array, { pushTable, swizzle }: Lookup): number[] {
  const fours = [0, 1, 2, 3]
  const halves = [0, 1, 2, 3, 4, 5, 6, 7]
  const vectorOf = (byte: number): number => byte * GROUPS + group
  const lowHalf = [...vector(V128_CONST, ...new Uint8Array(VECTOR_BYTES).fill(15)), ...V128_AND]
  const lookedUp = (half: number, byte: number): number[] => {
    const at = (half * 4 + byte) * VECTOR_BYTES
    return [...pushTable(tables, at), ...get(FIRST_HALF + half), ...swizzle, ...V128_XOR]
  }
  return [
    ...halves.flatMap((half) => [
      ...get(FIRST_LEFT + vectorOf(half >>> 1)),
      ...((half & 1) === 1 ? [...number(4), ...SHIFT_RIGHT] : []),
      ...[...lowHalf, ...set(FIRST_HALF + half)],
    ]),
    ...fours.flatMap((byte) => [
      ...[...get(BEGIN), ...load(STRIDE_BYTES + vectorOf(byte) * VECTOR_BYTES)],
      ...halves.flatMap((half) => lookedUp(half, byte)),
      ...set(FIRST_LEFT + vectorOf(byte)),
    ]),
  ]
}

function get(local: number): number[] {
  return [0x20, local]
}

function set(local: number): number[] {
  return [0x21, local]
}

/** A vector at so many bytes after the address on the stack, aligned or not. */
function load(offset: number): number[] {
  return vector(V128_LOAD, 0, ...unsigned(offset))
}

function vector(opcode: number, ...rest: number[]): number[] {
  return [0xfd, ...unsigned(opcode), ...rest]
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

/** Pushes a number; signed LEB128, in which bit 6 of the last byte is the sign. */
function number(value: number): number[] {
  const last = value & 127
  return value < 64 ? [0x41, value] : [0x41, last | 128, ...unsigned(value >>> 7)]
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}
