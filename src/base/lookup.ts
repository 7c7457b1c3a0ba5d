/**
 * What a point lookup in one layer (a MemTable or a table) answers. A tombstone ends the search, an absent key sends it
 * on to the next older layer. Use as `import * as Lookup from '../base/lookup.ts'`.
 */

/** This layer knows nothing of the key. */
export const ABSENT = 0
/** This layer holds the newest visible value. */
export const FOUND = 1
/** This layer holds a tombstone as the newest visible entry. */
export const DELETED = 2
