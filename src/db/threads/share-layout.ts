/**
 * ShareLayout: the shared memory by which threads read a database: every word of it, as an index of an Int32Array. All words
 * are loaded and stored by Atomics, which are in one total order. Why that suffices is in docs/rfcs/0013.
 *
 * Control block  one a database; written by the owner, read by all
 * Reader block   one a handle; written by the reader, but for ANSWERED and the end of a WAITING; read by the owner
 * A number of 64 bits is two words, low half first. Use as `import * as Layout from './share-layout.ts'`.
 */

// The control block.

/** Number of the newest layers; stored after they were posted to every reader. */
export const GENERATION = 0
/** The generation of a database that is closed: newer than any. */
export const CLOSED = 0x7fffffff
/** The newest visible sequence, in a cache line of its own; the high half is CHANGING while the two do not belong together. */
const SEQUENCE_LOW = 16
const SEQUENCE_HIGH = 17
const CHANGING = -1
const CONTROL_WORDS = 32
export const CONTROL_BYTES: number = 4 * CONTROL_WORDS

// A reader block.

/** The generation that the reader reads, or one of these. */
export const IN_USE = 0
/** Nothing was taken yet; what was sent may be, at any time. */
export const NONE_YET = 0
/** The reader is closed. */
export const NONE_ANY_MORE = -1
/** 1 while the reader has asked for the layers, as a whole. */
export const WAITING = 1
/** The owner bumps and notifies it when it has answered. */
export const ANSWERED = 2
/** So many slots have ever been taken. */
export const SLOTS = 3
/** 1 once the handle has been used. */
export const ATTACHED = 4
const FIRST_SLOT = 5
/** A slot: its kind, stored last, then a generation, or a sequence. */
const SLOT_WORDS = 3
export const SLOTS_MAX = 1024
export const READER_BYTES: number = 4 * (FIRST_SLOT + SLOT_WORDS * SLOTS_MAX)

/** Kinds of slots. */
export const FREE = 0
/** Layers that a scan goes through. */
export const PINNED_GENERATION = 1
/** What a snapshot reads at. */
export const PINNED_SEQUENCE = 2

/** Index of a slot's kind. */
export function slotAt(number: number): number {
  return FIRST_SLOT + SLOT_WORDS * number
}

const TWO_32 = 2 ** 32

/** The owner stores the sequence. */
export function storeSequence(control: Int32Array, sequence: number): void {
  const high = Math.floor(sequence / TWO_32)
  if (control[SEQUENCE_HIGH] === high) {
    Atomics.store(control, SEQUENCE_LOW, sequence | 0)
    return
  }
  Atomics.store(control, SEQUENCE_HIGH, CHANGING)
  Atomics.store(control, SEQUENCE_LOW, sequence | 0)
  Atomics.store(control, SEQUENCE_HIGH, high)
}

/** A sequence that was stored: halves never go back, so one high half before and after is the low one's. */
export function loadSequence(control: Int32Array): number {
  for (;;) {
    const high = Atomics.load(control, SEQUENCE_HIGH)
    const low = Atomics.load(control, SEQUENCE_LOW) >>> 0
    if (high !== CHANGING && Atomics.load(control, SEQUENCE_HIGH) === high) return high * TWO_32 + low
  }
}
