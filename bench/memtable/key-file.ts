/**
 * KeyFile: the keys and values of one measurement, in a file, so that a program in any language works on the same ones in
 * the same order.
 *
 * Format   file := u32 added | u32 present | u32 missing | u32 values | u32 bytes of a value | values | keys of each of the three
 *          keys := u32 offset[count + 1], from 0 | bytes, padded with zeros to whole words       (little-endian, as the machine)
 *          The i-th added key has value i · GOLDEN_RATIO mod 2^32 mod values. Present keys are drawn from the added ones;
 *          missing keys are of the same kind, and were not added. Both lie in the order in which they are asked for.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { Prng } from '../../src/base/prng.ts'
import type { Bytes } from '../../src/base/types.ts'

export type KeyKind = 'decimal' | 'binary' | 'uuid' | 'url' | 'sequential'

export interface KeyFileSpec {
  /** `names`: those that are given, in random order. */
  readonly kind: KeyKind | 'names'
  readonly entries: number
  /** Present keys that are asked for, and as many missing ones. */
  readonly probes: number
  readonly seed: number
  /** Default VALUE_BYTES. */
  readonly valueBytes?: number
  /** Distinct keys as text, at least as many as entries. */
  readonly names?: readonly string[]
}

export const VALUE_BYTES = 100
const VALUES = 4096
/** Of all values together: long ones are fewer. */
const POOL_BYTES_MAX = 64 * 1024 * 1024
const HEADER_BYTES = 20
/** Spreads consecutive numbers: 2^32 divided by it, made odd. */
const GOLDEN_RATIO = 0x9e3779b1
const DECIMAL_DIGITS = 16
const SITES = ['https://www.example.com', 'https://shop.example.com', 'https://blog.example.org']
const SECTIONS = ['catalogue/household/kitchen', 'catalogue/household/garden', 'archive/articles/international']

/** Keys, one behind the other: the i-th is bytes[offsets[i], offsets[i + 1]). */
export interface Keys {
  readonly count: number
  readonly bytes: Bytes
  readonly offsets: Uint32Array
}

export class KeyFile {
  readonly added: Keys
  readonly present: Keys
  readonly missing: Keys
  /** All values; the one of the i-th added key starts at valueOffset(i). */
  readonly values: Bytes
  readonly valueBytes: number
  readonly #valueCount: number
  readonly #file: Uint8Array<ArrayBuffer>
  #at: number

  private constructor(file: Uint8Array<ArrayBuffer>) {
    const [added, present, missing, values, valueBytes] = new Uint32Array(file.buffer, 0, HEADER_BYTES / 4)
    this.#file = file
    this.#at = HEADER_BYTES + values * valueBytes
    this.values = file.subarray(HEADER_BYTES, this.#at)
    this.valueBytes = valueBytes
    this.#valueCount = values
    this.added = this.#keys(added)
    this.present = this.#keys(present)
    this.missing = this.#keys(missing)
  }

  static read(path: string): KeyFile {
    return new KeyFile(new Uint8Array(readFileSync(path)))
  }

  valueOffset(i: number): number {
    return ((Math.imul(i, GOLDEN_RATIO) >>> 0) % this.#valueCount) * this.valueBytes
  }

  #keys(count: number): Keys {
    const offsets = new Uint32Array(this.#file.buffer, this.#at, count + 1)
    const start = this.#at + offsets.byteLength
    this.#at = start + wordAligned(offsets[count])
    return { count, offsets, bytes: this.#file.subarray(start, start + offsets[count]) }
  }
}

export function writeKeyFile(path: string, spec: KeyFileSpec): void {
  const { kind, entries, probes, seed, valueBytes = VALUE_BYTES } = spec
  const prng = new Prng(seed)
  const valueCount = Math.min(VALUES, Math.floor(POOL_BYTES_MAX / valueBytes))
  const values = new Uint8Array(valueCount * valueBytes)
  for (let i = 0; i < values.length; i++) values[i] = prng.below(256)
  const added = addedKeys(spec, prng)
  const present = Array.from({ length: probes }, () => added[prng.below(entries)])
  const missing = Array.from({ length: probes }, () => missingKey(kind, added, prng))
  const header = new Uint32Array([entries, probes, probes, valueCount, valueBytes])
  writeFileSync(path, Buffer.concat([bytesOf(header), values, ...[added, present, missing].flatMap(encodeKeys)]))
}

function addedKeys({ kind, entries, names = [] }: KeyFileSpec, prng: Prng): string[] {
  if (kind !== 'names') return Array.from({ length: entries }, (_, i) => makeKey(kind, i, prng))
  if (names.length < entries) throw new Error(`there are ${names.length} names, fewer than ${entries}`)
  const all = [...names]
  for (let i = 0; i < entries; i++) {
    const j = i + prng.below(all.length - i)
    const name = all[j]
    all[j] = all[i]
    all[i] = name
  }
  return all.slice(0, entries).map((name) => Buffer.from(name).toString('latin1'))
}

function missingKey(kind: KeyFileSpec['kind'], added: readonly string[], prng: Prng): string {
  if (kind === 'sequential') return `${digits(prng.below(added.length), DECIMAL_DIGITS - 1)}.`
  // No name has a zero byte.
  if (kind === 'names') return `${added[prng.below(added.length)]}\0`
  return makeKey(kind, 0, prng)
}

/** As latin-1 text: a character a byte. Random ones are distinct but for one chance in 10,000, which a count would show. */
function makeKey(kind: KeyKind, i: number, prng: Prng): string {
  switch (kind) {
    case 'sequential':
      return digits(i, DECIMAL_DIGITS)
    case 'decimal':
      return digits(prng.below(1e8), 8) + digits(prng.below(1e8), 8)
    case 'binary':
      return randomBytes(prng).toString('latin1')
    case 'uuid':
      return uuid(randomBytes(prng))
    case 'url': {
      const [site, section] = [SITES[prng.below(SITES.length)], SECTIONS[prng.below(SECTIONS.length)]]
      return `${site}/${section}/2026/items/${digits(prng.below(1e6), 6)}${digits(prng.below(1e6), 6)}.html`
    }
  }
}

function randomBytes(prng: Prng): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(prng.next32(), at)
  return bytes
}

/** Version 4, as text. */
function uuid(bytes: Buffer): string {
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function digits(number: number, length: number): string {
  return String(number).padStart(length, '0')
}

function encodeKeys(keys: readonly string[]): Uint8Array[] {
  const offsets = new Uint32Array(keys.length + 1)
  keys.forEach((key, i) => {
    offsets[i + 1] = offsets[i] + key.length
  })
  const length = offsets[keys.length]
  const bytes = Buffer.alloc(wordAligned(length))
  keys.forEach((key, i) => {
    bytes.write(key, offsets[i], 'latin1')
  })
  return [bytesOf(offsets), bytes]
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}

function wordAligned(bytes: number): number {
  return (bytes + 3) & ~3
}
