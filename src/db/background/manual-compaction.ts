/**
 * ManualCompaction: a range of keys that somebody wants compacted. It goes down level by level, to the deepest one that has any of
 * the range. There, tables that were not rewritten on the way are rewritten in place, if they may hold tombstones, or versions that
 * only a snapshot kept. While it is under way, the lane asks it, and not the picker, what comes next.
 */
import { type Comparator, compareKeys } from '../../base/comparator.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW } from '../../base/internal-key.ts'
import { coversSome } from '../../base/range-cover.ts'
import { type FileNumber, type Level, MAX_SEQUENCE } from '../../base/types.ts'
import type { MemTable } from '../../memtable/memtable.ts'
import type { Compaction } from '../../version/compaction.ts'
import { planManual } from '../../version/compaction-picker.ts'
import { type PickContext, planCompaction } from '../../version/compaction-plan.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import { type KeyRange, overlappingFiles } from '../../version/overlap.ts'
import type { Engine } from '../engine.ts'

export class ManualCompaction {
  /** Nothing is left to do. */
  isOver = false
  readonly #context: () => PickContext
  readonly #range: KeyRange
  /** Known once it has begun. */
  #deepest: Level = 0
  #level: Level = 0
  readonly #written = new Set<FileNumber>()
  /** Of the deepest level, what is still to be rewritten in place; undefined before that. */
  #inPlace: FileNumber[] | undefined = undefined
  /** The last one. */
  #step: Compaction | undefined = undefined

  /** @param context the state at each step */
  constructor(context: () => PickContext, range: KeyRange) {
    this.#context = context
    this.#range = range
  }

  /** The next step; undefined if it is over, or if a busy table is in the way. */
  next(): Compaction | undefined {
    this.#step = this.#plan()
    return this.#step
  }

  /** A compaction is done, and has written these. One that was under way before, be it of another range, is no step of this. */
  wrote(compaction: Compaction, outputs: readonly FileMetadata[]): void {
    if (compaction !== this.#step) return
    for (const { number } of outputs) this.#written.add(number)
    // One step takes all of level 0; tables that were flushed since are newer than the request.
    if (compaction.level === 0) this.#level = 1
  }

  #plan(): Compaction | undefined {
    if (this.#deepest === 0) this.#deepest = this.#findDeepest()
    while (this.#level < this.#deepest) {
      const plan = planManual(this.#context(), this.#level, this.#range)
      if (plan !== undefined) return plan === 'busy' ? undefined : plan
      this.#level++
    }
    return this.#nextInPlace()
  }

  /** What is in level 0 alone goes to level 1. */
  #findDeepest(): Level {
    const levels = [...this.#context().version.levels.keys()]
    return Math.max(1, levels.findLast((level) => this.#tables(level).length > 0) ?? 0)
  }

  #nextInPlace(): Compaction | undefined {
    this.#inPlace ??= this.#tables(this.#deepest)
      .filter(mayHoldGarbage)
      .map(({ number }) => number)
    const context = this.#context()
    for (;;) {
      const number = this.#inPlace[0]
      if (number === undefined) break
      const file = context.version.levels[this.#deepest].find((table) => table.number === number)
      if (file !== undefined && !this.#written.has(number)) {
        const seed = { reason: 'manual', level: this.#deepest, outputLevel: this.#deepest, files: [file] } as const
        return planCompaction(context, seed)
      }
      this.#inPlace.shift()
    }
    this.isOver = true
    return undefined
  }

  #tables(level: Level): FileMetadata[] {
    const { comparator, version } = this.#context()
    return overlappingFiles(comparator, version, level, this.#range)
  }
}

/** Whether the range ends before it begins. */
export function isEmptyRange({ options }: Engine, { smallest, largest }: KeyRange): boolean {
  return smallest !== undefined && largest !== undefined && compareKeys(options.comparator, smallest, largest) > 0
}

/** Whether a MemTable has keys of the range, or range tombstones over it: then its flush belongs to the compaction. */
export function hasKeysInMemory({ readState, options }: Engine, range: KeyRange): boolean {
  const { comparator } = options
  const { smallest, largest } = range
  return [readState.active, ...readState.immutables].some(({ table }) => {
    if (hasRangesOver(table, comparator, range)) return true
    const entries = table.iterator()
    if (smallest === undefined) entries.seekToFirst()
    else entries.seek(smallest, 0, smallest.length, MAX_TAG_LOW, MAX_TAG_HIGH)
    if (!entries.valid || largest === undefined) return entries.valid
    return comparator.compare(entries.keyBuf, entries.keyOff, entries.keyLen, largest, 0, largest.length) <= 0
  })
}

/** Without a first key, any range tombstone is one: a flush too many costs less than to find out. */
function hasRangesOver(table: MemTable, comparator: Comparator, { smallest, largest }: KeyRange): boolean {
  const cover = table.rangeCover(MAX_SEQUENCE)
  return cover !== undefined && (smallest === undefined || coversSome(cover, comparator, smallest, largest))
}

/** Of a table that an earlier opening wrote it is not known for sure. */
function mayHoldGarbage({ statistics }: FileMetadata): boolean {
  return (
    statistics === undefined || statistics.isSampled === true || statistics.tombstones > 0 || statistics.superseded > 0
  )
}
