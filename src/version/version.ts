/**
 * Version: an immutable set of tables, by level, that together with the MemTables make up the database at one moment.
 *
 * Invariants  (1) level 0 holds tables in ascending number; a newer table has the larger number, and ranges may overlap
 *             (2) in level 1 and below, tables are sorted by smallest key and their ranges do not overlap
 *             (3) no number comes twice
 * Search      the words of a level's largest keys (base/key-words.ts) are made when it is first asked for a key
 * Threads     immutable, but for them and for what the last lookup left in `missed`; belongs to the database's thread
 * Source      google/leveldb db/version_set.h
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { TAG_BYTES } from '../base/internal-key.ts'
import { KeyWords, keyWordsOf } from '../base/key-words.ts'
import * as Lookup from '../base/lookup.ts'
import type { Bytes, FileNumber, Level, SequenceNumber } from '../base/types.ts'
import { coversKey, type FileMetadata } from './file-metadata.ts'
import type { KeyBatch, ManySink } from './key-batch.ts'
import { LEVELS, type LevelFile } from './version-edit.ts'

/** What a lookup needs of a table: see table/table.ts. */
export interface TableLookup {
  lookup(key: Bytes, keyOff: number, keyLen: number, sequence: SequenceNumber): number
  readonly valBuf: Bytes
  readonly valOff: number
  readonly valLen: number
}

/** Opens tables, or finds them open; one that was found is open until the next is. */
export interface TableSource {
  find(number: FileNumber, bytes: number): TableLookup
}

/** Where a lookup puts the value it finds; the bytes are borrowed until return. */
export interface ValueSink {
  take(bytes: Bytes, offset: number, length: number): void
}

export class Version {
  /** Tables by level; level 0 in ascending number, the others in ascending key. */
  readonly levels: readonly (readonly FileMetadata[])[]
  /** The table that the last lookup asked in vain before it asked another one, if it did; and its level. */
  missed: FileMetadata | undefined
  missedLevel: Level
  readonly #comparator: Comparator
  /** The level after the last one that has tables. */
  readonly #levelsEnd: Level
  #firstAsked: FileMetadata | undefined
  #firstLevel: Level
  /** Of each level below 0; undefined until the level is asked, or where words are of no use. */
  readonly #words: (KeyWords | undefined)[]
  readonly #usesWords: boolean

  constructor(comparator: Comparator, levels: readonly (readonly FileMetadata[])[]) {
    this.missed = undefined
    this.missedLevel = 0
    this.#firstAsked = undefined
    this.#firstLevel = 0
    this.#comparator = comparator
    this.#words = levels.map(() => undefined)
    this.#usesWords = comparator === bytewiseComparator
    this.#levelsEnd = 1 + levels.findLastIndex((files) => files.length > 0)
    this.levels = levels
  }

  static empty(comparator: Comparator): Version {
    return new Version(
      comparator,
      Array.from({ length: LEVELS }, () => []),
    )
  }

  /** Whether there is no table. */
  get isEmpty(): boolean {
    return this.#levelsEnd === 0
  }

  /** All tables, level by level. */
  *files(): Generator<LevelFile, void, undefined> {
    for (const [level, files] of this.levels.entries()) for (const file of files) yield { level, file }
  }

  /**
   * Ask the tables that may hold the key, newest first, until one knows it. A value is handed to `sink` at once, before
   * another table is asked.
   * @returns Lookup.ABSENT, FOUND or DELETED
   * @throws CorruptionError, IOError from the tables
   */
  lookup(
    tables: TableSource,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    sequence: SequenceNumber,
    sink: ValueSink,
  ): number {
    this.missed = undefined
    this.#firstAsked = undefined
    const newest = this.levels[0]
    for (let i = newest.length - 1; i >= 0; i--) {
      if (!coversKey(this.#comparator, newest[i], key, keyOff, keyLen)) continue
      const answer = this.#ask(tables, 0, newest[i], key, keyOff, keyLen, sequence, sink)
      if (answer !== Lookup.ABSENT) return answer
    }
    for (let level = 1; level < this.#levelsEnd; level++) {
      const file = this.#find(level, key, keyOff, keyLen)
      if (file === undefined) continue
      const answer = this.#ask(tables, level, file, key, keyOff, keyLen, sequence, sink)
      if (answer !== Lookup.ABSENT) return answer
    }
    return Lookup.ABSENT
  }

  /**
   * Ask for all keys of a batch, newest table first. Each table is visited at most once; each of its blocks is read at most
   * once in that visit.
   * @throws CorruptionError, IOError from the tables
   */
  lookupMany(tables: TableSource, batch: KeyBatch, sequence: SequenceNumber, sink: ManySink): void {
    const newest = this.levels[0]
    for (let i = newest.length - 1; i >= 0 && batch.count > 0; i--) {
      const { number, bytes, smallest, largest } = newest[i]
      const begin = batch.firstFrom(0, smallest)
      const limit = batch.firstAfter(begin, largest)
      if (begin < limit) batch.ask(tables.find(number, bytes), begin, limit, sequence, sink)
    }
    for (let level = 1; level < this.#levelsEnd && batch.count > 0; level++) {
      this.#lookupManyIn(this.levels[level], tables, batch, sequence, sink)
    }
  }

  /** Ask the tables of one level without overlaps, in ascending key. */
  #lookupManyIn(
    files: readonly FileMetadata[],
    tables: TableSource,
    batch: KeyBatch,
    sequence: SequenceNumber,
    sink: ManySink,
  ): void {
    let at = 0
    while (at < batch.count) {
      const key = batch.key(at)
      const index = firstFileEndingAtOrAfter(this.#comparator, files, key, 0, key.length)
      if (index === files.length) return
      const { number, bytes, smallest, largest } = files[index]
      const begin = batch.firstFrom(at, smallest)
      const limit = batch.firstAfter(begin, largest)
      at = begin === limit ? begin : batch.ask(tables.find(number, bytes), begin, limit, sequence, sink)
    }
  }

  #ask(
    tables: TableSource,
    level: Level,
    file: FileMetadata,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    sequence: SequenceNumber,
    sink: ValueSink,
  ): number {
    if (this.#firstAsked === undefined) {
      this.#firstAsked = file
      this.#firstLevel = level
    } else {
      this.missed = this.#firstAsked
      this.missedLevel = this.#firstLevel
    }
    const table = tables.find(file.number, file.bytes)
    const answer = table.lookup(key, keyOff, keyLen, sequence)
    if (answer === Lookup.FOUND) sink.take(table.valBuf, table.valOff, table.valLen)
    return answer
  }

  /** The one table of a level below 0 that may hold the key. */
  #find(level: number, key: Bytes, keyOff: number, keyLen: number): FileMetadata | undefined {
    const files = this.levels[level]
    if (files.length === 0) return undefined
    let begin = 0
    let limit = files.length
    if (this.#usesWords && limit > 1) {
      const words = this.#words[level] ?? this.#makeWords(level)
      words.narrow(key, keyOff, keyLen)
      begin = words.begin
      limit = words.limit
    }
    const comparator = this.#comparator
    if (begin < limit) begin = firstFileEndingAtOrAfter(comparator, files, key, keyOff, keyLen, begin, limit)
    if (begin === files.length) return undefined
    const { smallest } = files[begin]
    const order = comparator.compare(key, keyOff, keyLen, smallest, 0, smallest.length - TAG_BYTES)
    return order < 0 ? undefined : files[begin]
  }

  #makeWords(level: number): KeyWords {
    const words = wordsOf(this.levels[level])
    this.#words[level] = words
    return words
  }
}

/** The words of the largest user keys of some tables, at least one. */
function wordsOf(files: readonly FileMetadata[]): KeyWords {
  const starts = new Int32Array(files.length + 1)
  files.forEach(({ largest }, i) => {
    starts[i + 1] = starts[i] + largest.length
  })
  const keys = new Uint8Array(starts[files.length])
  files.forEach(({ largest }, i) => {
    keys.set(largest, starts[i])
  })
  return new KeyWords(keyWordsOf(keys, starts, files.length, TAG_BYTES))
}

/**
 * Index of the first table whose largest user key is ≥ the key, in a level without overlaps; files.length if none.
 * @param begin,limit if given, it is one of [begin, limit), or `limit`
 */
export function firstFileEndingAtOrAfter(
  comparator: Comparator,
  files: readonly FileMetadata[],
  key: Bytes,
  keyOff: number,
  keyLen: number,
  begin: number = 0,
  limit: number = files.length,
): number {
  let low = begin
  let high = limit
  while (low < high) {
    const middle = (low + high) >>> 1
    const { largest } = files[middle]
    if (comparator.compare(largest, 0, largest.length - TAG_BYTES, key, keyOff, keyLen) < 0) low = middle + 1
    else high = middle
  }
  return low
}
