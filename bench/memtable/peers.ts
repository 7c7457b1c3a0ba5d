/**
 * Peers: the sorted maps that JavaScript programs use, as their users do: keys as strings, or as Buffers with
 * Buffer.compare; values as Uint8Arrays of their own. Keys and values are made before the clock starts, and are not
 * copied: the map keeps the objects that it is given.
 */
import createTree, { type Tree } from 'functional-red-black-tree'
import sortedBTree from 'sorted-btree'
import type { Bytes } from '../../src/base/types.ts'
import { type KeyFile, type Keys, VALUE_BYTES } from './key-file.ts'
import { mixBytes, mixText, PIECE, type Subject } from './subject.ts'

/** What a program has in hand that uses keys of this type. */
export interface KeyType<Key> {
  of(bytes: Buffer): Key
  /** undefined for the map's own order. */
  readonly compare: ((a: Key, b: Key) => number) | undefined
  mix(sum: number, key: Key): number
}

export const STRINGS: KeyType<string> = {
  of: (bytes) => bytes.toString('latin1'),
  compare: undefined,
  mix: mixText,
}
export const BUFFERS: KeyType<Buffer> = {
  // Each with memory of its own: a view would keep the whole file.
  of: (bytes) => Buffer.from(bytes),
  compare: (a, b) => a.compare(b),
  mix: (sum, key) => mixBytes(sum, key, 0, key.length),
}

abstract class Peer<Key> implements Subject {
  checksum = 0
  readonly usedBytes = undefined
  protected readonly keys: KeyType<Key>
  readonly #file: KeyFile
  readonly #entries: number
  readonly #probes: Readonly<Record<'present' | 'missing', Key[]>>
  /** Let go of when they are inserted. */
  #added: Key[] = []
  #values: Bytes[] = []

  constructor(file: KeyFile, entries: number, keys: KeyType<Key>) {
    this.keys = keys
    this.#file = file
    this.#entries = entries
    this.#probes = {
      present: materialise(file.present, file.present.count, keys),
      missing: materialise(file.missing, file.missing.count, keys),
    }
  }

  abstract get length(): number
  abstract scan(): void
  protected abstract put(key: Key, value: Bytes): void
  protected abstract find(key: Key): Bytes | undefined

  prepare(): void {
    const file = this.#file
    this.#added = materialise(file.added, this.#entries, this.keys)
    this.#values = this.#added.map((_, i) => file.values.slice(file.valueOffset(i), file.valueOffset(i) + VALUE_BYTES))
  }

  insert(): void {
    const count = this.#added.length
    for (let from = 0; from < count; from += PIECE) this.#putSome(from, Math.min(from + PIECE, count))
    this.#added = []
    this.#values = []
  }

  get(which: 'present' | 'missing', limit: number): number {
    let found = 0
    for (let from = 0; from < limit; from += PIECE) {
      found += this.#getSome(this.#probes[which], from, Math.min(from + PIECE, limit))
    }
    return found
  }

  #putSome(from: number, limit: number): void {
    const added = this.#added
    const values = this.#values
    for (let i = from; i < limit; i++) this.put(added[i], values[i])
  }

  #getSome(probes: readonly Key[], from: number, limit: number): number {
    let found = 0
    for (let i = from; i < limit; i++) {
      const value = this.find(probes[i])
      if (value === undefined) continue
      found++
      this.checksum = mixBytes(this.checksum, value, 0, value.length)
    }
    return found
  }

  protected read(key: Key, value: Bytes): void {
    this.checksum = mixBytes(this.keys.mix(this.checksum, key), value, 0, value.length)
  }
}

export class BTreePeer<Key> extends Peer<Key> {
  readonly #tree: sortedBTree.default<Key, Bytes>

  constructor(file: KeyFile, entries: number, keys: KeyType<Key>) {
    super(file, entries, keys)
    this.#tree = new sortedBTree.default(undefined, keys.compare)
  }

  get length(): number {
    return this.#tree.size
  }

  scan(): void {
    this.#tree.forEachPair((key, value) => this.read(key, value))
  }

  protected put(key: Key, value: Bytes): void {
    this.#tree.set(key, value)
  }

  protected find(key: Key): Bytes | undefined {
    return this.#tree.get(key)
  }
}

export class RedBlackPeer<Key> extends Peer<Key> {
  #tree: Tree<Key, Bytes>

  constructor(file: KeyFile, entries: number, keys: KeyType<Key>) {
    super(file, entries, keys)
    this.#tree = createTree(keys.compare)
  }

  get length(): number {
    return this.#tree.length
  }

  scan(): void {
    this.#tree.forEach((key, value) => {
      this.read(key, value)
    })
  }

  protected put(key: Key, value: Bytes): void {
    this.#tree = this.#tree.insert(key, value)
  }

  protected find(key: Key): Bytes | undefined {
    return this.#tree.get(key) ?? undefined
  }
}

function materialise<Key>({ bytes, offsets }: Keys, count: number, keys: KeyType<Key>): Key[] {
  const all = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: count }, (_, i) => keys.of(all.subarray(offsets[i], offsets[i + 1])))
}
