/**
 * What a MemTable is made with, and what it crosses threads as.
 */
import type { Comparator, KeyOrder } from '../base/comparator.ts'

/** Options of `MemTable.create`. */
export interface MemTableOptions {
  /** Bytes for entries and their overhead (`entryBytesMax`), taken from the system as they are used. Default 64 MiB; below 2 GiB. */
  readonly capacityBytes?: number | undefined
  /**
   * How keys are found. Default: 'radix', which knows bytewise order only; 'skiplist' for a comparator of your own. 'vector'
   * is for loading first and reading then: it sorts when it is frozen or read, and other threads attach once it is frozen.
   */
  readonly representation?: 'radix' | 'skiplist' | 'vector' | undefined
  /** Order of the keys. Default: bytewise. */
  readonly comparator?: Comparator | KeyOrder | undefined
  /**
   * Whether every entry has a checksum, which is verified whenever it is read, here or on another thread: an entry whose memory
   * has changed is a CorruptionError. Costs 4 bytes per entry, and reading the whole of it. Default false.
   */
  readonly checksums?: boolean | undefined
  /** Seed of everything random: the same seed and the same writes make the same arena, byte for byte. */
  readonly seed?: number | undefined
}

/** A MemTable on its way to another thread: plain data that `postMessage` clones, around memory that it shares. */
export interface MemTableToken {
  readonly buffer: SharedArrayBuffer
  /** Name of the comparator. */
  readonly comparator: string
}
