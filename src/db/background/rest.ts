/**
 * Rest: what a database does when nobody writes. A read asks every table of level 0 that may hold its key, then one of level 1. While
 * writes come in, merging the two waits until there are enough tables to pay for it. At rest it is in nobody's way: level 0 is merged
 * into level 1 as soon as that rewrites no more than it takes (pickAtRest). A MemTable that is small beside the tables is flushed first
 * and goes along; a larger one stays, since it answers faster than any table.
 *
 *   layers have changed, and a merge is due → look after REST_MS → no more than a little was written: flush, merge
 *                                                                → else look again, for as long as it is due
 *
 * Cost     A byte is written to level 1 twice at most, as by the compactions of a full level 0 (version/level-sizes.ts).
 * Timers   One, only while a merge is due; it does not keep the process alive.
 * Threads  belongs to the database's thread
 */
import type { Compaction } from '../../version/compaction.ts'
import { pickAtRest } from '../../version/compaction-picker.ts'
import type { PickContext } from '../../version/compaction-plan.ts'
import { totalBytes } from '../../version/level-sizes.ts'
import type { Engine } from '../engine.ts'
import { isEmpty, type MemTableSlot } from '../read/read-state.ts'
import { pickContext } from './compaction-plans.ts'

/** As long a time without writes is rest. */
const REST_MS = 200
/** So small a part of a MemTable may be written meanwhile. */
const QUIET_SHARE = 1 / 1024
/** A MemTable goes along if it has at most so large a part of the bytes that are merged. */
const ALONG_SHARE = 1 / 4

export class Rest {
  readonly #engine: Engine
  #isWanted: boolean
  #isResting = false
  #cancel: (() => void) | undefined = undefined
  /** What was there at the last look. */
  #active: MemTableSlot | undefined = undefined
  #usedBytes = 0

  constructor(engine: Engine) {
    this.#engine = engine
    this.#isWanted = engine.options.mergeAtRest
  }

  /** The layers have changed. */
  changed(): void {
    if (this.#due() === undefined) this.#isResting = false
    else if (!this.#isResting && this.#cancel === undefined) this.#watch()
  }

  /** What to merge now; undefined while the database is not at rest, or what goes along is not there yet. */
  pick(context: PickContext): Compaction | undefined {
    if (!this.#isResting || this.#engine.readState.immutables.length > 0) return undefined
    return pickAtRest(context)
  }

  close(): void {
    this.#isWanted = false
    this.#cancel?.()
  }

  #due(): Compaction | undefined {
    const { background, isWritable, readState } = this.#engine
    const { isEnded, retry } = background.compactions
    if (!this.#isWanted || !isWritable || isEnded || retry.isHeld) return undefined
    return readState.version.levels[0].length === 0 ? undefined : pickAtRest(pickContext(this.#engine))
  }

  #watch(): void {
    const { environment, readState } = this.#engine
    this.#active = readState.active
    this.#usedBytes = readState.active.table.memoryUsage
    this.#cancel = environment.later(REST_MS, () => this.#look())
  }

  #look(): void {
    this.#cancel = undefined
    const due = this.#due()
    if (due === undefined) return
    this.#isResting = this.#isQuiet()
    if (this.#isResting) this.#begin(due)
    else this.#watch()
  }

  #begin({ upper }: Compaction): void {
    this.#takeAlong(totalBytes(upper) * ALONG_SHARE)
    this.#engine.background.schedule()
  }

  #isQuiet(): boolean {
    const { options, queue, readState } = this.#engine
    if (queue.next !== undefined || queue.begun !== undefined || readState.active !== this.#active) return false
    return readState.active.table.memoryUsage - this.#usedBytes <= options.writeBufferBytes * QUIET_SHARE
  }

  #takeAlong(bytesMax: number): void {
    const { active } = this.#engine.readState
    if (isEmpty(active) || active.table.memoryUsage > bytesMax) return
    try {
      this.#engine.rotation.rotate(0)
    } catch {
      // No further MemTable, or no log for it, can be had: this one stays.
    }
  }
}
