/**
 * Allowed: what the lists of mutants are made of that no test is asked to find (equivalents.ts), and constants whose mutants are apart.
 * Branches have no such list: each is taken by a test.
 */

export interface AllowedMutant {
  readonly file: string
  readonly line: string
  /** As `Mutant.change`. */
  readonly changes: readonly string[]
  readonly reason: string
}

/** A constant of a module that decides how long something takes or how much memory it has, and nothing that is read or written. */
export interface TuningConstant {
  readonly file: string
  readonly constant: string
  readonly reason: string
}

export const TUNING: readonly TuningConstant[] = [
  {
    file: 'base/crc32c',
    constant: 'LONG_BYTES',
    reason: 'from where on bytes are folded, or read as words: the sum is the same',
  },
  {
    file: 'cache/block-cache',
    constant: 'OVERHEAD_BYTES',
    reason: 'an estimate of memory, which the cache reckons with',
  },
  { file: 'cache/block-cache', constant: 'BYTES_A_MISS', reason: 'how many misses are remembered, about' },
  { file: 'cache/recent-misses', constant: 'PLACES_MIN_BITS', reason: 'how many misses are remembered, about' },
  { file: 'cache/recent-misses', constant: 'PLACES_MAX_BITS', reason: 'how many misses are remembered, about' },
  {
    file: 'cache/recent-misses',
    constant: 'SPREAD_FILE',
    reason: 'which blocks share a mark: any number without a pattern',
  },
  {
    file: 'cache/recent-misses',
    constant: 'SPREAD_MARK',
    reason: 'which blocks share a place: any number without a pattern',
  },
  { file: 'base/key-copy', constant: 'FIRST_BYTES', reason: 'the buffer grows with the keys' },
  { file: 'log/log-reader', constant: 'WINDOW_BYTES', reason: 'how many blocks are read at once' },
  { file: 'log/log-writer', constant: 'INITIAL_BUFFER_BYTES', reason: 'the buffer grows with what it holds' },
  { file: 'log/log-writer', constant: 'KEPT_BUFFER_BYTES', reason: 'when a buffer that has grown is let go' },
  { file: 'table/block-cursor', constant: 'FIRST_KEY_BYTES', reason: 'the buffer grows with the keys' },
  { file: 'table/block-cursor', constant: 'LOOP_BYTES', reason: 'a loop or a view copies the same bytes' },
  { file: 'table/filter-block', constant: 'FIRST_KEYS', reason: 'the buffer grows with the keys' },
  { file: 'table/filter-block', constant: 'FIRST_BYTES', reason: 'the buffer grows with the filters' },
  { file: 'table/sequential-blocks', constant: 'FIRST_WINDOW_BYTES', reason: 'how much is read at once' },
  { file: 'table/sequential-blocks', constant: 'MAX_WINDOW_BYTES', reason: 'how much is read at once' },
  { file: 'table/sequential-blocks', constant: 'WHOLE_WINDOW_BYTES', reason: 'how much is read at once' },
  {
    file: 'table/snappy-decoder',
    constant: 'MAX_WORD_COPY_BYTES',
    reason: 'words or a block move copy the same bytes',
  },
  { file: 'table/table', constant: 'OVERHEAD_BYTES', reason: 'an estimate of memory, which the cache reckons with' },
  { file: 'table/table-tail', constant: 'TAIL_PART', reason: 'how much of a table is read at once' },
  { file: 'table/table-tail', constant: 'MIN_TAIL_BYTES', reason: 'how much of a table is read at once' },
  { file: 'table/table-tail', constant: 'MAX_TAIL_BYTES', reason: 'how much of a table is read at once' },
  { file: 'table/table-tail', constant: 'MAX_KEPT_BYTES', reason: 'how much memory stays for the next opening' },
  {
    file: 'version/manifest',
    constant: 'CURRENT_BYTES_MAX',
    reason: 'how much of CURRENT is read: more than any name of a manifest has',
  },
  {
    file: 'db/copies/backup-format',
    constant: 'DATA_BYTES',
    reason: 'in pieces of which length a file is written; a reader takes any',
  },
  { file: 'admin/table-merge', constant: 'STEP_ENTRIES', reason: 'how often the event loop may turn' },
]
