/**
 * Rotation: room for writes. Before a group is begun, it is *admitted*: if the active MemTable is full, the engine *rotates*, that is,
 * freezes it and goes on with a new log and a new MemTable. The frozen one waits for its flush.
 *
 * Invariant  if there is no memory for the MemTable, or no file for the log, nothing has changed
 * Threads    belongs to the database's thread
 * Source     google/leveldb db/db_impl.cc (MakeRoomForWrite)
 */
import { assert } from '../../base/assert.ts'
import type { SequenceNumber } from '../../base/types.ts'
import type { MemTable } from '../../memtable/memtable.ts'
import type { Engine } from '../engine.ts'
import { isEmpty, withTable } from '../read/read-state.ts'
import { newMemTable, orRecycle } from './new-memtable.ts'
import type { NewLog } from './write-ahead-log.ts'

export class Rotation {
  readonly #engine: Engine
  #isWanted = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /**
   * Make room for the group that comes next.
   * @returns whether there is room; if not, the pressure is such that no further MemTable may be begun
   */
  admit(): boolean {
    const engine = this.#engine
    const { memoryUsage } = engine.memtable
    if (!this.#isWanted && memoryUsage < engine.options.writeBufferBytes && this.#hasRoom()) return true
    if (!isEmpty(engine.readState.active) && !this.#isWanted && engine.pressure.isStop) {
      engine.background.poll()
      if (engine.pressure.isStop) return false
    }
    // Listeners that polling has called may have written: the next group may be larger now, or another one.
    if (!this.rotate(engine.queue.next?.arenaBytes ?? 0)) return false
    return engine.health.isPoisoned || this.#hasRoom() || this.admit()
  }

  /**
   * Freeze the active MemTable if it holds anything, and begin a new one with room for `needed` arena bytes.
   * A flush that somebody asks for rotates in spite of back-pressure: only the number of frozen MemTables counts.
   * @returns false if no further MemTable may be frozen now
   * @throws NotSupportedError if there is no memory for it, IOError if no log can be created; nothing has changed then
   */
  rotate(needed: number): boolean {
    const { queue, background, options, health, log } = this.#engine
    assert(queue.begun === undefined, 'no group is between its log and its MemTable')
    background.poll()
    const { active, immutables, version } = this.#engine.readState
    this.#isWanted = false
    if (isEmpty(active)) {
      this.#engine.show({ active: withTable(active, newMemTable(options, needed)), immutables, version })
      return true
    }
    if (immutables.length >= options.maxImmutableMemTables) return false
    if (!health.guard(() => log.complete())) return true
    const table = newMemTable(options, needed)
    const file = orRecycle(table, () => log.create(this.#engine.newFileNumber()))
    if (!health.guard(() => this.#switchTo(table, file))) return true
    background.changed()
    background.schedule()
    return true
  }

  /** Have the next group go to a fresh MemTable. */
  want(): void {
    this.#isWanted = true
  }

  #hasRoom(): boolean {
    const { memtable, queue } = this.#engine
    return memtable.hasRoom(queue.next?.arenaBytes ?? 0)
  }

  #switchTo(table: MemTable, file: NewLog): void {
    const { readState, log, lastSequence } = this.#engine
    const { active, immutables, version } = readState
    const firstSequence = (lastSequence + 1) as SequenceNumber
    const begun = log.begin(file, firstSequence)
    active.table.freeze()
    const slot = { table, log: begun, firstSequence }
    this.#engine.show({ active: slot, immutables: [active, ...immutables], version })
  }
}
