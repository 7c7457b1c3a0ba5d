/**
 * LsmEntry: an entry as goLSM has it, and its bytes: the protobuf message that the series of articles on that engine defines.
 *
 * Format   message LSMEntry { string key = 1; Command command = 2; optional bytes value = 3; int64 timestamp = 4; }
 *          enum Command { PUT = 0; DELETE = 1; }
 *          field := (number << 3 | wire type) varint | content        0 varint · 1 8 bytes · 2 length varint, bytes · 5 4 bytes
 *          Written in the order of the numbers, without the fields that have their default, as protobuf libraries do.
 * Read     with fields in any order, the last one of a number counting; unknown fields, groups too, and known ones of another
 *          wire type are passed over
 * An int64 is a bigint here, and only here: nanoseconds since 1970 are beyond the safe integers.
 * Source   JyotinderSingh/goLSM (the message); protobuf.dev/programming-guides/encoding
 */
import { copyBytes, EMPTY, ownedCopy } from '../base/bytes.ts'
import { putVarint, Reader, varintLength } from '../base/coding.ts'
import { CorruptionError, InvalidArgumentError } from '../base/errors.ts'
import { toBytes } from '../base/text.ts'
import type { Bytes } from '../base/types.ts'

/** An entry as goLSM has it. */
export interface LsmEntry {
  readonly key: string
  readonly command: 'put' | 'delete'
  /** Of a put; an empty value is not a missing one. */
  readonly value?: Uint8Array<ArrayBuffer> | undefined
  /** An int64. */
  readonly timestamp: bigint
}

const COMMANDS = ['put', 'delete'] as const

const VARINT = 0
const FIXED_64 = 1
const LENGTH_PREFIXED = 2
const GROUP_START = 3
const GROUP_END = 4
const FIXED_32 = 5

const KEY_TAG = 0x0a
const COMMAND_TAG = 0x10
const VALUE_TAG = 0x1a
const TIMESTAMP_TAG = 0x20

/** Groups within groups: as deep as protobuf libraries go. */
const GROUP_DEPTH_MAX = 100
const INT64_MIN: bigint = -(2n ** 63n)
const INT64_MAX: bigint = 2n ** 63n - 1n
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws InvalidArgumentError if the entry is not of its documented form */
export function encodeLsmEntry(
  entry: Omit<LsmEntry, 'value'> & { readonly value?: Uint8Array | undefined },
): Uint8Array<ArrayBuffer> {
  if (typeof entry !== 'object' || entry === null) throw new InvalidArgumentError('an entry must be an object')
  const { timestamp } = entry
  if (typeof entry.key !== 'string') throw new InvalidArgumentError('the key of an entry must be a string')
  const key = toBytes(entry.key, 'key')
  const command = COMMANDS.indexOf(entry.command)
  if (command < 0) throw new InvalidArgumentError(`command must be 'put' or 'delete', not ${String(entry.command)}`)
  if (typeof timestamp !== 'bigint' || timestamp < INT64_MIN || timestamp > INT64_MAX) {
    throw new InvalidArgumentError(`timestamp must be a bigint of 64 bits, not ${String(timestamp)}`)
  }
  const value = entry.value === undefined ? undefined : checkedValue(entry.value)
  const bytes = new Uint8Array(messageBytes(key, command, value, timestamp))
  let at = key.length === 0 ? 0 : putString(bytes, 0, KEY_TAG, key)
  if (command !== 0) {
    bytes[at++] = COMMAND_TAG
    bytes[at++] = command
  }
  if (value !== undefined) at = putString(bytes, at, VALUE_TAG, value)
  if (timestamp !== 0n) {
    bytes[at++] = TIMESTAMP_TAG
    putVarint64(bytes, at, timestamp)
  }
  return bytes
}

/** Bytes: elsewhere a string would be its UTF-8. @throws InvalidArgumentError */
export function checkedValue(value: Uint8Array): Bytes {
  if (typeof value === 'string') throw new InvalidArgumentError('value must be a Uint8Array, not string')
  return toBytes(value, 'value')
}

/** @throws CorruptionError, with the offset, if the bytes are no such message; InvalidArgumentError if they are no bytes */
export function decodeLsmEntry(message: Uint8Array): LsmEntry {
  if (typeof message === 'string') throw new InvalidArgumentError('message must be a Uint8Array, not string')
  return new LsmEntryDecoder(toBytes(message, 'message')).decode()
}

class LsmEntryDecoder {
  readonly #reader: Reader
  #key = ''
  #command = 0
  #value: Uint8Array<ArrayBuffer> | undefined = undefined
  #timestamp = 0n

  constructor(message: Bytes) {
    this.#reader = new Reader(message)
  }

  decode(): LsmEntry {
    const reader = this.#reader
    while (reader.remaining > 0) {
      const start = reader.offset
      const tag = this.#tag()
      if (tag === KEY_TAG) this.#key = this.#text()
      else if (tag === COMMAND_TAG) this.#command = Number(BigInt.asIntN(32, this.#varint64()))
      else if (tag === VALUE_TAG) this.#value = this.#bytes()
      else if (tag === TIMESTAMP_TAG) this.#timestamp = this.#varint64()
      else this.#passOver(tag, 0)
      if (reader.failed) throw fault('a field is cut short or malformed', start)
    }
    const command = COMMANDS[this.#command]
    if (command === undefined) throw fault(`the command ${this.#command} is neither a put nor a delete`, 0)
    const value = this.#value
    return { key: this.#key, command, ...(value && { value }), timestamp: this.#timestamp }
  }

  /** A field's number and wire type. */
  #tag(): number {
    const start = this.#reader.offset
    const tag = this.#reader.varint32()
    if (this.#reader.failed || tag < 8) throw fault('a field has no number', start)
    return tag
  }

  #text(): string {
    const reader = this.#reader
    const length = reader.varint32()
    const start = reader.skip(length)
    if (reader.failed) return ''
    try {
      return decoder.decode(reader.bytes.subarray(start, start + length))
    } catch {
      throw fault('the key is not UTF-8', start)
    }
  }

  #bytes(): Uint8Array<ArrayBuffer> {
    const length = this.#reader.varint32()
    const start = this.#reader.skip(length)
    return this.#reader.failed ? EMPTY : ownedCopy(this.#reader.bytes, start, length)
  }

  /** A varint of up to 64 bits; what is above them is dropped, as protobuf libraries do. */
  #varint64(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#reader.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
    throw fault('a number is longer than ten bytes', this.#reader.offset)
  }

  #passOver(tag: number, depth: number): void {
    const reader = this.#reader
    const start = reader.offset
    const wireType = tag & 7
    if (wireType === VARINT) this.#varint64()
    else if (wireType === FIXED_64) reader.skip(8)
    else if (wireType === LENGTH_PREFIXED) reader.skip(reader.varint32())
    else if (wireType === FIXED_32) reader.skip(4)
    else if (wireType === GROUP_START) this.#passOverGroup(tag, depth)
    else throw fault(`a field has the wire type ${wireType}`, start)
  }

  #passOverGroup(start: number, depth: number): void {
    if (depth === GROUP_DEPTH_MAX) throw fault('groups are nested too deeply', this.#reader.offset)
    const end = start - GROUP_START + GROUP_END
    for (let tag = this.#tag(); tag !== end; tag = this.#tag()) this.#passOver(tag, depth + 1)
  }
}

function messageBytes(key: Bytes, command: number, value: Bytes | undefined, timestamp: bigint): number {
  const keyBytes = key.length === 0 ? 0 : 1 + varintLength(key.length) + key.length
  const valueBytes = value === undefined ? 0 : 1 + varintLength(value.length) + value.length
  return keyBytes + (command === 0 ? 0 : 2) + valueBytes + (timestamp === 0n ? 0 : 1 + varint64Length(timestamp))
}

/** @returns the offset after the field */
function putString(bytes: Bytes, offset: number, tag: number, string: Bytes): number {
  bytes[offset] = tag
  const start = putVarint(bytes, offset + 1, string.length)
  copyBytes(string, 0, bytes, start, string.length)
  return start + string.length
}

function varint64Length(value: bigint): number {
  let length = 1
  for (let rest = BigInt.asUintN(64, value) >> 7n; rest > 0n; rest >>= 7n) length++
  return length
}

function putVarint64(bytes: Bytes, offset: number, value: bigint): void {
  let at = offset
  let rest = BigInt.asUintN(64, value)
  for (; rest > 0x7fn; rest >>= 7n) bytes[at++] = Number(rest & 0x7fn) | 0x80
  bytes[at] = Number(rest)
}

function fault(message: string, offset: number): CorruptionError {
  return new CorruptionError(`not an LSMEntry: ${message} (at byte ${offset})`, { offset })
}
