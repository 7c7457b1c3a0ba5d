/**
 * Rest: what a database does when nobody writes. A read asks every table of level 0 that may hold its key, then one of each level
 * below. While writes come in, merging waits until there is enough to pay for it. At rest it is in nobody's way: level 0 is merged into
 * level 1 as soon as that rewrites no more than it takes, and levels below go down where they hide much of the next (pickAtRest). A
 * MemTable that is small beside the tables of level 0 is flushed first and goes along; a larger one stays, since it answers faster than any
 * table.
 *
 *   layers have changed → look after REST_MS → no more than a little was written: flush, merge, and look again
 *                                            → else look again
 *
 * Cost     A byte is written to level 1 twice at most, as by the compactions of a full level 0 (version/level-sizes.ts), and to a level
 *          below as often as when it is full.
 * Timers   One, only while there may be something to merge. It does not keep the process alive, as a merge does; so each merge is begun by
 *          it, and not by the end of another.
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
  readonly #isWanted: boolean
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
    if (!this.#isResting && this.#cancel === undefined && this.#isAskedTwice()) this.#watch()
  }

  /** What to merge now, once a look; undefined while the database is not at rest, or what goes along is not there yet. */
  pick(context: PickContext): Compaction | undefined {
    if (!this.#isResting || this.#engine.readState.immutables.length > 0) return undefined
    const compaction = this.#isQuiet() ? pickAtRest(context) : undefined
    if (compaction?.isTrivialMove === true) return compaction
    this.#isResting = false
    this.changed()
    return compaction
  }

  /** Compactions have ended: no other timer follows. */
  close(): void {
    this.#cancel?.()
  }

  /** Whether a lookup may have to ask two tables, and that can be changed. */
  #isAskedTwice(): boolean {
    const { background, isWritable, readState } = this.#engine
    const { isEnded, retry } = background.compactions
    if (!this.#isWanted || !isWritable || isEnded || retry.failure !== undefined) return false
    const [newest, ...sorted] = readState.version.levels
    return newest.length + sorted.filter((files) => files.length > 0).length > 1
  }

  #watch(): void {
    this.#note()
    this.#cancel = this.#engine.environment.later(REST_MS, () => this.#look())
  }

  #note(): void {
    this.#active = this.#engine.readState.active
    this.#usedBytes = this.#active.table.memoryUsage
  }

  #look(): void {
    this.#cancel = undefined
    if (!this.#isAskedTwice()) return
    const { isRunning, retry } = this.#engine.background.compactions
    if (this.#isQuiet() && !isRunning && !retry.isHeld) this.#begin()
    else this.#watch()
  }

  #begin(): void {
    const due = pickAtRest(pickContext(this.#engine))
    if (due === undefined) return
    if (due.level === 0) this.#takeAlong(totalBytes(due.upper) * ALONG_SHARE)
    // What goes along has changed the layers.
    this.#cancel?.()
    this.#cancel = undefined
    this.#note()
    this.#isResting = true
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
