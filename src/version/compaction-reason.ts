/**
 * CompactionReason: what made a compaction due. In a file of its own because the package's type declarations refer to it, and should not
 * pull in what a compaction is made of.
 */

/**
 * Why, in this order: level 0 has too many tables; a level has too many bytes; many lookups search a table in vain; most entries of
 * a table are tombstones, or scans step over many in it; nobody writes, so that level 0 can be merged early; a call of
 * `compactRange`.
 */
export type CompactionReason = 'level0-tables' | 'level-bytes' | 'seeks' | 'tombstones' | 'rest' | 'manual'
