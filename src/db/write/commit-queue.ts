/**
 * CommitQueue: the way of a write, in phases that each run to their end without waiting. Who waits between them, and how,
 * is the driver's business (commit-driver.ts).
 *
 *   join     encode the write into the group at the queue's end
 *   begin    for `disk`, make the log's name durable; number the oldest group, append it to the log, and hand it to the operating
 *            system as its durability asks (for `disk` the driver now has the log made durable)
 *   finish   insert the group into the MemTable, publish its sequence, settle it
 *
 * Invariants  (1) at most one group is between begin and finish; sequence order is commit order is visibility order
 *             (2) a group becomes visible only once its durability is reached
 *             (3) a failure in begin, or of the sync, poisons the database: that group is indeterminate, the groups behind
 *                 it are not written, and sequence numbers are never used again (rules D11, D12). Only where the log's name is not
 *                 durable for want of descriptors, or could not be made anew, has nothing happened: that group is refused, and the
 *                 next one tries again
 *             (4) phases look at the state they find, so a synchronous writer may complete a group that an asynchronous
 *                 one began; the latter finds it settled
 * Threads     belongs to the database's thread
 * Source      google/leveldb db/db_impl.cc (Write); cockroachdb/pebble commit.go
 */

import { IOError, StalledError, type VarveError } from '../../base/errors.ts'
import type { Bytes, Durability, SequenceNumber } from '../../base/types.ts'
import * as Batch from '../../batch/batch-format.ts'
import type { MemTable } from '../../memtable/memtable.ts'
import type { Health } from '../reports/health.ts'
import type { WriteAheadLog } from './write-ahead-log.ts'
import { WriteGroup } from './write-group.ts'

/** What the queue writes to. */
export interface CommitTarget {
  readonly log: WriteAheadLog
  readonly memtable: MemTable
  readonly health: Health
  /** Newest visible sequence. */
  lastSequence: SequenceNumber
  /** The log holds back bytes of `buffered` writes. */
  logBuffered(): void
}

export class CommitQueue {
  /** Groups, entries and bytes of batches that have become visible since the opening. */
  groupCount = 0
  entryCount = 0
  writtenBytes = 0
  readonly #target: CommitTarget
  /** Oldest first. */
  readonly #waiting: WriteGroup[] = []
  /** Begun last: it may be in nobody's hands when a call is cut off. */
  #taken: WriteGroup | undefined = undefined
  /** Between begin and finish. */
  #begun: WriteGroup | undefined = undefined
  /** A phase of it has failed where no call could be made any more, and nobody has been told. */
  #broken: WriteGroup | undefined = undefined
  /** The group that was done last, whose memory the next one gets. There is always one, which keeps commits compiled (idle-scan.ts). */
  #done: WriteGroup = new WriteGroup()
  readonly #addToLog: (bytes: Bytes, offset: number, length: number) => void
  readonly #addToMemTable: (bytes: Bytes, offset: number, length: number) => void

  constructor(target: CommitTarget) {
    this.#target = target
    this.#addToLog = (bytes, offset, length) =>
      target.log.add(bytes, offset, length, Batch.batchSequence(bytes, offset))
    this.#addToMemTable = (bytes, offset, length) => {
      Batch.forEachOp(bytes, offset, length, target.memtable)
    }
  }

  /** The group that is logged and waits to be made durable, if any. */
  get begun(): WriteGroup | undefined {
    return this.#begun
  }

  /** The group that comes next, if any. */
  get next(): WriteGroup | undefined {
    return this.#waiting[0]
  }

  /** The group that comes last, if any is not settled. */
  get last(): WriteGroup | undefined {
    return this.#waiting.at(-1) ?? this.#begun ?? this.#broken
  }

  put(key: Bytes, value: Bytes, durability: Durability): WriteGroup {
    const group = this.#groupFor(key.length + value.length)
    group.addPut(key, value, durability)
    return this.#join(group)
  }

  delete(key: Bytes, durability: Durability): WriteGroup {
    const group = this.#groupFor(key.length)
    group.addDelete(key, durability)
    return this.#join(group)
  }

  deleteRange(start: Bytes, end: Bytes, durability: Durability): WriteGroup {
    const group = this.#groupFor(start.length + end.length)
    group.addDeleteRange(start, end, durability)
    return this.#join(group)
  }

  /** @param rangeCount range deletes among the batch's ops */
  write(encoded: Bytes, rangeCount: number, durability: Durability): WriteGroup {
    const group = this.#groupFor(encoded.length)
    group.addBatch(encoded, rangeCount, durability)
    return this.#join(group)
  }

  /**
   * Log the oldest group; the caller has made sure that the MemTable has room for it.
   * @returns the group, to be finished; undefined if it failed and is settled
   */
  begin(): WriteGroup | undefined {
    this.#taken = this.#waiting[0]
    // Most queues hold one group, which is popped: after a shift, the next push has to allocate.
    const group = this.#waiting.length === 1 ? this.#waiting.pop() : this.#waiting.shift()
    if (group === undefined) return undefined
    try {
      if (!this.#isLogged(group)) return undefined
      this.#begun = group
      return group
    } catch (error) {
      this.#broken = group
      this.#target.health.cause ??= error as Error
      this.settleBroken()
      return undefined
    }
  }

  /** @returns false if the group is settled; it has not been begun */
  #isLogged(group: WriteGroup): boolean {
    const { log, health, lastSequence } = this.#target
    if (health.isPoisoned) {
      group.settle(health.refusal())
      this.refuseWaiting(health.refusal())
      return false
    }
    if (group.durability === 'disk' && !this.#syncNames(group)) return false
    group.number(lastSequence + 1)
    group.forEachBatch(this.#addToLog)
    if (group.durability === 'buffered') this.#target.logBuffered()
    else log.flush()
    return true
  }

  /** Make a begun and durable group visible. A group that another driver has finished is left alone. */
  finish(group: WriteGroup): void {
    if (group !== this.#begun) return
    const target = this.#target
    this.#begun = undefined
    try {
      group.forEachBatch(this.#addToMemTable)
      target.memtable.publish()
      target.log.acknowledge()
      target.lastSequence = (target.lastSequence + group.opCount) as SequenceNumber
      this.groupCount++
      this.entryCount += group.opCount
      this.writtenBytes += group.bytes
      group.settle()
      this.#done = group
    } catch (error) {
      // Logged, but not readable: only reopening can tell the two apart again.
      this.#broken = group
      target.health.cause ??= error as Error
      this.settleBroken()
    }
  }

  /**
   * Tell of a phase that has failed. What it was in the midst of is unknown, and where the stack ends, so is any call: whoever fails there
   * sets the health's cause without one, so that nothing is written any more, and whoever comes next tells.
   */
  settleBroken(): void {
    const group = this.#broken
    if (group === undefined) return
    const { health } = this.#target
    this.#fail(group, health, health.cause as Error)
    this.#broken = undefined
  }

  /** The log could not be made durable, for `group` or for one that came before it. */
  failSync(group: WriteGroup | undefined, error: Error): void {
    // One that has not begun, or no more, is settled.
    if (group === this.#begun) this.#begun = undefined
    this.#fail(group, this.#target.health, error)
  }

  /** A call was cut off: whoever waits is told. */
  abandon(error: Error): void {
    this.failSync(this.#begun ?? this.#taken, error)
    this.#broken = undefined
  }

  /** Refuse all groups that wait. */
  refuseWaiting(error: VarveError): void {
    for (const group of this.#waiting.splice(0)) group.settle(error)
  }

  /**
   * The log's name is made durable before the group is written, not when it is synced: a directory that cannot be opened for that
   * then ends nothing but the attempt.
   * @returns false if the group is settled
   */
  #syncNames(group: WriteGroup): boolean {
    const { log, health } = this.#target
    try {
      log.syncNames()
      return true
    } catch (error) {
      const cause = error as Error
      if (!log.hasFailed) group.settle(new StalledError(`the log cannot be made durable: ${cause.message}`, { cause }))
      else {
        // Nothing of it has been written, and nothing will be: it is refused with those that wait.
        this.#waiting.unshift(group)
        this.#fail(undefined, health, cause)
      }
      return false
    }
  }

  #fail(group: WriteGroup | undefined, health: Health, cause: Error): void {
    try {
      health.poison(cause)
    } finally {
      // A listener that is told may throw; whoever waits gets an answer all the same.
      group?.settle(indeterminate(cause))
      this.refuseWaiting(health.refusal())
    }
  }

  /** @returns the group for a write of so many bytes; a new one does not wait yet */
  #groupFor(bytes: number): WriteGroup {
    this.#target.health.check()
    const count = this.#waiting.length
    // Not at −1, which would be looked up as the name of a property.
    const last = count === 0 ? undefined : this.#waiting[count - 1]
    return last?.takes(bytes) ? last : new WriteGroup(this.#done.takeMemory())
  }

  /** A group without the write that it was made for, since that failed, would wait in vain: so it comes last. */
  #join(group: WriteGroup): WriteGroup {
    const waiting = this.#waiting
    const count = waiting.length
    if (count === 0 || waiting[count - 1] !== group) waiting.push(group)
    return group
  }
}

/** The error of a write that may or may not be found after reopening. */
function indeterminate(error: Error): IOError {
  // As of every IOError, the cause is the system's error, if there is one, and the file is named.
  const { cause = error, file } = error instanceof IOError ? error : { file: undefined }
  const details = { cause, outcome: 'indeterminate', ...(file !== undefined && { file }) } as const
  return new IOError(`the write may not have reached the log: ${error.message}`, details)
}
