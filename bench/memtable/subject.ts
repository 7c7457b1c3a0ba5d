/**
 * Subject: one sorted map under measurement. Each method works through all of a key file, as loops of its own: what is timed
 * holds no call that the others do not have. One process measures one subject.
 */
import type { Bytes } from '../../src/base/types.ts'
import type { KeyFile } from './key-file.ts'

/**
 * Entries of one call, in the loops of all that is in JavaScript. A loop that runs a few times only, however long, has no compiled code
 * to begin with: what is compiled for it while it runs is given up where it ends, and each time it begins slowly anew.
 */
export const PIECE = 1000

/** In the order of the report. The first two are in C++; `radix` is what the goals are about. */
export const SUBJECTS = {
  cpp: { name: 'C++ skip list, -O2', label: 'C++ -O2' },
  cppNative: { name: 'C++ skip list, -O3 -march=native', label: 'C++ -O3' },
  radix: { name: 'varve: radix tree, one by one', label: 'radix' },
  radixBatches: { name: 'varve: radix tree, batches of 1,000', label: 'batches' },
  skiplist: { name: 'varve: skip list, one by one', label: 'skip list' },
  vector: { name: 'varve: sorted vector, sorted once', label: 'vector' },
  btreeStrings: { name: 'sorted-btree, strings', label: 'B-tree, str' },
  btreeBuffers: { name: 'sorted-btree, Buffers', label: 'B-tree, buf' },
  redBlackStrings: { name: 'functional-red-black-tree, strings', label: 'r-b, str' },
  redBlackBuffers: { name: 'functional-red-black-tree, Buffers', label: 'r-b, buf' },
} as const

export type SubjectName = keyof typeof SUBJECTS

/** What one process has measured. */
export interface Figures {
  readonly insertNs: number
  readonly getNs: number
  readonly missingNs: number
  readonly scanNs: number
  readonly bytesAnEntry: number
  /** Lookups that found something. */
  readonly found: number
  /** Of what was read, in order; the same for all subjects of a case. */
  readonly checksum: number
  /** Not of C++: time before the inserts in which keys and values were made, which a MemTable does by copying them in. */
  readonly prepareNs?: number
  /** Not of C++: bytes an entry of the garbage-collected heap, and its longest pause during the inserts. */
  readonly heapBytesAnEntry?: number
  readonly pauseMs?: number
}

export interface Subject {
  /** Of what `get` and `scan` read, in order. */
  readonly checksum: number
  /** Entries that it holds. */
  readonly length: number
  /** Bytes that the entries take, if the subject knows; else they are measured. */
  readonly usedBytes: number | undefined
  /** Not timed: make what a caller of `insert` has in hand. */
  prepare(): void
  insert(): void
  /** Look for the first `limit` keys. @returns how many were there */
  get(keys: 'present' | 'missing', limit: number): number
  scan(): void
}

/** @param entries of the file to insert, from its first on */
export type SubjectFactory = (file: KeyFile, entries: number) => Subject

/** Fold the first four bytes of a string, and its length, into a checksum. */
export function mixBytes(sum: number, bytes: Bytes, at: number, length: number): number {
  const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
  return ((sum << 5) | (sum >>> 27)) ^ word ^ length
}

/** The same of a string with a character a byte. */
export function mixText(sum: number, text: string): number {
  const low = text.charCodeAt(0) | (text.charCodeAt(1) << 8)
  const word = low | (text.charCodeAt(2) << 16) | (text.charCodeAt(3) << 24)
  return ((sum << 5) | (sum >>> 27)) ^ word ^ text.length
}
