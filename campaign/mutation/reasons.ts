/**
 * Reasons why mutants of several files do the same as the program (equivalents.ts), and changes that come together.
 */

export const BY_ONE: readonly string[] = ['0 → 1', '0 → (-1)']
export const UNREAD: string = 'it is written before anything reads it; the value only fixes its kind'
export const UNREAD_BYTES: string = 'bytes that nobody reads: they are replaced before'
export const MORE_ROOM: string =
  'the buffer has room for what is put into it, and grows: how much it has besides is a matter of memory'
export const ANOTHER_WAY: string = 'another of the ways to move the same bytes: only time depends on which'
export const GROWS_EARLY: string =
  'a buffer that has room is replaced by one that has, with the same contents: only time depends on it'
export const EITHER: string = 'where both are equal, either is'
