/**
 * The vocabulary's plain types: branded numbers and byte strings.
 *
 * Brands keep a sequence number from being taken for a file number; they cost nothing at run time. Offsets and lengths
 * are plain numbers named `…Offset`, `…Bytes`, `…Length` or `…Count`.
 */
declare const brand: unique symbol

/** Position of a write in the database's history: 1, 2, 3, …; at most 2^53 − 1 (LevelDB allows 2^56 − 1). */
export type SequenceNumber = number & { readonly [brand]: 'SequenceNumber' }

/** Number in a file's name (`000005.ldb`); one counter serves tables, logs and manifests. At most 2^53 − 1. */
export type FileNumber = number & { readonly [brand]: 'FileNumber' }

/** Level of the tree, 0 (newest, may overlap) to 6. */
export type Level = number

/** Bytes inside the engine: may lie in shared memory, may be a view. What leaves the engine is `Uint8Array<ArrayBuffer>`. */
export type Bytes = Uint8Array<ArrayBufferLike>

/**
 * Where a write is when it is acknowledged. `buffered`: in varve's own buffer. `os`: with the operating system, so that it survives
 * the process. `disk`: synced, so that it survives power loss. See docs/durability.md.
 */
export type Durability = 'buffered' | 'os' | 'disk'

/** The largest sequence number that varve issues or accepts. */
export const MAX_SEQUENCE: SequenceNumber = Number.MAX_SAFE_INTEGER as SequenceNumber

/** A name with a larger number says nothing about the numbers that were given: no database gets so far. */
export const MAX_NAMED_FILE_NUMBER: FileNumber = (2 ** 52) as FileNumber

/**
 * So many sequence numbers and file numbers must be left for a database to be opened for writing. More than it takes before it is
 * opened anew, so that nobody has to check when one is given.
 */
export const MIN_NUMBERS_LEFT: number = 2 ** 48

/** A number as a sequence number; the caller vouches for its range. */
export function sequenceNumber(value: number): SequenceNumber {
  return value as SequenceNumber
}

/** A number as a file number; the caller vouches for its range. */
export function fileNumber(value: number): FileNumber {
  return value as FileNumber
}
