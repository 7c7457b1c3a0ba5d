/**
 * CompactionReason: what made a compaction due. A file of its own, since the public declarations lead here, and are not to lead to what a
 * compaction is made of.
 */

/**
 * Why, in this order: level 0 has too many tables; a level has too many bytes; many lookups search a table in vain; most entries of
 * a table are tombstones, or scans step over many in it; nobody writes, so that level 0 can be merged early; a call of
 * `compactRange`.
 */
export type CompactionReason = 'level0-tables' | 'level-bytes' | 'seeks' | 'tombstones' | 'rest' | 'manual'
