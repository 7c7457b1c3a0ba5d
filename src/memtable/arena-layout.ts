/**
 * ArenaLayout: every offset of a MemTable's shared memory that does not depend on its contents. All fields are 32-bit
 * words, named here by their word index; a 64-bit number is two words, low half first. Everything that refers to a
 * place in the arena is a byte offset from its start: < 2^31, 0 = nil, 4-aligned where words are stored. Words have the
 * machine's own byte order: an arena lives in memory only, and is never written to a file.
 *
 * Format   arena := header (168 words) | entries, up to the tail | free space, from the tail to the ceiling | nodes of a radix tree
 *          header := format (words 0–3) | state (4) | features (5) | ranges (6) | written (7, 8) | roots (words 16–47)
 *                    | published numbers (words 80–103) | tail (136)
 *
 * What lies in between is not used: words of which one changes all the time lie 128 bytes apart from words that are only
 * read, so that a store to one takes no other from the caches of other processors, wherever the memory begins.
 *
 * The published numbers are those of one moment: there are two slots of them, each with the tail that it belongs to, and
 * the one whose tail is TAIL is the current one. The writer fills the other slot, the new tail first, and then stores TAIL.
 * A reader that finds the same tail in a slot before and after reading it has one publication's numbers; it reads again
 * only if two publications came in between, and so never waits for the writer.
 * Use as `import * as Layout from './arena-layout.ts'`.
 */

/** "VARV" as a little-endian word. */
export const MAGIC_VALUE = 0x56524156
/** Changes with everything that a reader of another version would misread. */
export const FORMAT_VERSION_VALUE = 5

/** Words 0–3 never change after creation. */
export const MAGIC = 0
export const FORMAT_VERSION = 1
/** Which representation built the entries: an id of memtable-rep.ts. */
export const REPRESENTATION = 2
/** Bytes for entries: the buffer's length without the header. */
export const CAPACITY_BYTES = 3

/** ACTIVE or FROZEN; written once more, by `freeze`, after the last publication. */
export const STATE = 4
export const ACTIVE = 0
export const FROZEN = 1

/** What else the entries have: never changes after creation. */
export const FEATURES = 5
/** A checksum behind every version (entry-checks.ts). */
export const CHECKSUMS = 1
/** The newest map of range tombstones (range-tombstones.ts); 0 while there are none. */
export const RANGES = 6
/** Once it is frozen: the end of what was written from below, and how many bytes from above; published or not. */
export const WRITTEN = 7
export const WRITTEN_ABOVE = 8

/** The representation's own 32 words: where its entries start. */
export const ROOTS = 16

/** The slots, of 12 words each: a tail, then numbers in the order that table-counters.ts gives. */
export const SLOT_A = 80
export const SLOT_B = 92
/** In a slot: bytes from the ceiling to the arena's end. */
export const ABOVE = 10

/** The watermark: what lies below it is published. The one word that readers synchronise on. */
export const TAIL = 136

export const HEADER_WORDS = 168
export const HEADER_BYTES: number = HEADER_WORDS * 4

/** Largest arena: offsets stay below 2^31, which a signed word holds. */
export const ARENA_BYTES_MAX: number = 2 ** 31 - 4
