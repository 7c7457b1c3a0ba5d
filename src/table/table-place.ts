/**
 * TablePlace: where in a table a lookup looks for a key.
 */

/** One data block of a table, in which a key would be. */
export interface TablePlace {
  /** Where the block begins in the file, and how many bytes it takes there, without its trailer. */
  readonly offset: number
  readonly bytes: number
  /** Whether it was in the block cache. */
  readonly isCached: boolean
  /** Whether the filter says that the block lacks the key, so that a lookup need not read it; undefined if there is none. */
  readonly isRuledOut: boolean | undefined
}
