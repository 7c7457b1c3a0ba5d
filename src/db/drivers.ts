/**
 * Drivers: who waits between the engine's phases. Each operation exists once, as phases; here it is driven synchronously
 * (this thread sleeps) or asynchronously (the caller gets a promise). The only file of the engine with `await`, besides
 * open.ts, which waits for the lock.
 *
 * An asynchronous write joins the queue at once and is committed when the current turn's synchronous code has run, so all
 * writes of a turn, and all that arrive while a sync is under way, form one group. A synchronous write first completes
 * everything that was queued before it. Either way, program order is commit order.
 */
import type { DirectoryLock } from '../base/environment.ts'
import { AbortedError, StalledError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'
import type { StallReason } from './back-pressure.ts'
import type { CommitQueue } from './commit-queue.ts'
import { pickContext } from './compaction-plans.ts'
import type { Engine } from './engine.ts'
import type { EventLog } from './event-log.ts'
import { checkCompaction, hasKeysInMemory, isEmptyRange, ManualCompaction } from './manual-compaction.ts'
import { isEmpty, type MemTableSlot } from './read-state.ts'
import type { WriteGroup } from './write-group.ts'

/** How long an asynchronous writer may keep the event loop from turning. */
const TURN_MS = 2
/** Bytes of writes between two looks at the clock: a dozen small groups, or a large one. */
const CLOCK_BYTES = 2048
/** What writes that are refused are told. */
const STALLED: Readonly<Record<StallReason, string>> = {
  memtables: 'no MemTable is free, since frozen ones cannot be flushed',
  'level0-tables': 'level 0 is full, since its tables cannot be compacted',
  'compaction-debt': 'compactions are too far behind',
}
/** Longest sleep of a synchronous writer before it looks around again. */
const SLEEP_MS = 1000
/** The same, of one that is slowed down. */
const PAUSE_SYNC_MS = 20

export class Drivers {
  readonly #engine: Engine
  readonly #queue: CommitQueue
  #isDraining = false
  #bytesSinceClock = 0
  #turnStartMs = 0

  constructor(engine: Engine) {
    this.#engine = engine
    this.#queue = engine.queue
  }

  /** Commit the group, and all before it, soon; `group.promise` tells. */
  commit(group: WriteGroup): Promise<void> {
    const { promise } = group
    if (!this.#isDraining) {
      this.#isDraining = true
      void this.#drain()
    }
    return promise
  }

  /**
   * Commit the group, and all before it, now.
   * @throws what the group failed with
   */
  commitSync(group: WriteGroup): void {
    while (!group.isSettled) {
      const { begun } = this.#queue
      const pauseMs = this.#engine.pace.owedMs
      if (begun !== undefined) this.#syncNow(begun)
      else if (pauseMs > 0) this.#pauseSync(pauseMs)
      else if (this.#admit()) this.#commitNextSync()
      else this.#waitForRoomSync()
    }
    this.#endStall()
    if (group.error !== undefined) throw group.error
  }

  /**
   * Write what has been written so far to tables, and wait until they are installed.
   * @throws the error of the first attempt that fails from now on; the background goes on trying
   */
  async flush(signal?: AbortSignal): Promise<void> {
    await this.#committed()
    const { background, health } = this.#engine
    health.check()
    // Inline, an attempt fails before tryAgain returns.
    const failuresBefore = background.flushes.retry.failureCount
    background.tryAgain()
    const { active, immutables } = this.#engine.readState
    const last = isEmpty(active) ? immutables[0] : active
    if (last === active) await this.#untilFrozen(active, failuresBefore, signal)
    while (last !== undefined && this.#engine.readState.immutables.includes(last)) {
      this.#checkFlush(failuresBefore, signal)
      await this.#change(signal)
    }
    // Whoever looks at the directory now does not find logs that nobody needs.
    while (this.#engine.isRemoving && !health.isPoisoned && !signal?.aborted) await this.#change(signal)
    health.check()
  }

  /**
   * Compact the tables that hold keys of a range, down to the deepest level that has any, with what is in memory of it.
   * @param begin first key, or undefined for the first there is
   * @param end last key, or undefined for the last there is
   * @throws the error of the first attempt that fails from now on; compactions go on by themselves
   */
  async compactRange(begin: Bytes | undefined, end: Bytes | undefined, signal?: AbortSignal): Promise<void> {
    await this.#committed()
    const engine = this.#engine
    if (isEmptyRange(engine, begin, end)) return
    if (hasKeysInMemory(engine, begin, end)) await this.flush(signal)
    const { compactions } = engine.background
    checkCompaction(engine, signal)
    // One at a time.
    while (compactions.manual !== undefined) await this.#compactionChange(signal)
    const failuresBefore = compactions.retry.failureCount
    const manual = new ManualCompaction(() => pickContext(engine), begin, end)
    try {
      compactions.begin(manual)
      while (!manual.isOver) {
        if (compactions.retry.failureCount > failuresBefore) throw compactions.retry.lastError
        await this.#compactionChange(signal)
      }
    } finally {
      compactions.endManual()
    }
  }

  async #compactionChange(signal: AbortSignal | undefined): Promise<void> {
    await this.#change(signal)
    checkCompaction(this.#engine, signal)
  }

  /**
   * Flush what is in memory, or make the log durable if that fails, and let go of everything, the lock last.
   * @param log told when it is done
   * @throws the first error; everything has been let go of all the same
   */
  async close(lock: DirectoryLock | undefined, log: EventLog | undefined): Promise<void> {
    const { clock } = this.#engine.environment
    const startMs = clock.monotonicMs()
    let failure: unknown
    try {
      await this.#letGo(lock)
    } catch (error) {
      failure = error
      throw error
    } finally {
      log?.closed(clock.monotonicMs() - startMs, failure)
    }
  }

  async #letGo(lock: DirectoryLock | undefined): Promise<void> {
    let failure: Error | undefined
    try {
      await this.#committed()
      // What a flush adds, the next opening compacts.
      this.#engine.background.compactions.end()
      if (!this.#engine.options.readOnly) await this.#flushOrSync()
    } catch (error) {
      failure = error as Error
    }
    await this.#workEnded()
    try {
      this.#engine.release()
    } catch (error) {
      failure ??= error as Error
    }
    try {
      await this.#unlocked(lock)
    } catch (error) {
      failure ??= error as Error
    }
    if (failure !== undefined) throw failure
  }

  /**
   * A thread that was ended in the midst of a compaction may still be in a call that writes a file, whose number is the next
   * opener's to give away: the lock stays until it has ended, if need be longer than `close` waits.
   */
  async #unlocked(lock: DirectoryLock | undefined): Promise<void> {
    const { background, environment, options } = this.#engine
    const released = background.ended.then(() => lock?.release())
    let cancel = (): void => {}
    const late = new Promise<void>((resolve) => {
      cancel = environment.later(options.stallTimeoutMs, resolve, true)
    })
    try {
      await Promise.race([released, late])
    } finally {
      cancel()
    }
  }

  /** A job that still ran would write to a directory that the next opener has. A compaction is aborted by the release. */
  async #workEnded(): Promise<void> {
    const { background, environment, options } = this.#engine
    let isLate = false
    const late = (): void => {
      isLate = true
      background.changed()
    }
    const cancel = environment.later(options.stallTimeoutMs, late, true)
    while ((background.flushes.isRunning || this.#engine.isRemoving) && !isLate) await this.#change()
    cancel()
  }

  /** What is in memory is in the log as well, which the next opening replays; so a flush that fails is made up for. */
  async #flushOrSync(): Promise<void> {
    try {
      await this.flush()
    } catch {
      // If it is the log that failed, this throws.
      if (this.#engine.log.hasUndurable) this.#engine.log.sync()
    }
  }

  async #drain(): Promise<void> {
    // Let the rest of this turn's synchronous code join.
    await undefined
    while (this.#queue.next !== undefined) {
      const pauseMs = this.#queue.begun === undefined ? this.#engine.pace.owedMs : 0
      if (pauseMs > 0) {
        await this.#pause(pauseMs)
        continue
      }
      if (this.#queue.begun === undefined && !this.#admit()) {
        await this.#untilRoom()
        continue
      }
      const group = this.#queue.begin()
      if (group === undefined) continue
      this.#engine.pace.charge(group.bytes)
      if (group.durability === 'disk') await this.#syncLater(group)
      this.#queue.finish(group)
      this.#endStall()
      if (this.#isTurnOver(group.bytes)) await this.#nextTurn()
    }
    this.#isDraining = false
    this.#engine.background.changed()
  }

  /** As the engine's; if there is no memory for a MemTable, the writes that wait for it are refused. */
  #admit(): boolean {
    try {
      return this.#engine.admit()
    } catch (cause) {
      this.#queue.refuseWaiting(new StalledError('there is no memory for another MemTable', { cause }))
      return true
    }
  }

  /** Make a begun group durable; afterwards it is to be finished, or has been, or has failed. */
  async #syncLater(group: WriteGroup): Promise<void> {
    const { log } = this.#engine
    const { number, bytes } = log
    try {
      await log.syncLater()
      log.synced(number, bytes)
    } catch (error) {
      log.fail()
      this.#queue.failSync(group, error as Error)
    }
    this.#turnStartMs = this.#engine.environment.clock.monotonicMs()
  }

  #syncNow(group: WriteGroup): void {
    try {
      this.#engine.log.sync()
    } catch (error) {
      this.#queue.failSync(group, error as Error)
      return
    }
    this.#queue.finish(group)
  }

  #commitNextSync(): void {
    const group = this.#queue.begin()
    if (group === undefined) return
    this.#engine.pace.charge(group.bytes)
    if (group.durability === 'disk') this.#syncNow(group)
    else this.#queue.finish(group)
  }

  // Waiting for room.

  async #untilRoom(): Promise<void> {
    if (!this.#beginStall()) return
    const { environment, options, stall } = this.#engine
    const cancel = environment.later(
      options.stallTimeoutMs - stall.durationMs + 1,
      () => this.#engine.background.changed(),
      true,
    )
    await this.#change()
    cancel()
  }

  /** Pay for what has been written too fast; or until something has changed, since then it may be less. */
  async #pause(pauseMs: number): Promise<void> {
    const { environment, stall, background } = this.#engine
    const startMs = environment.clock.monotonicMs()
    const cancel = environment.later(pauseMs, () => background.changed(), true)
    await this.#change()
    cancel()
    stall.delayed(environment.clock.monotonicMs() - startMs)
    this.#turnStartMs = environment.clock.monotonicMs()
  }

  #pauseSync(pauseMs: number): void {
    const { environment, stall, background } = this.#engine
    const portionMs = Math.min(pauseMs, PAUSE_SYNC_MS)
    environment.sleep(portionMs)
    stall.delayed(portionMs)
    background.poll()
  }

  #waitForRoomSync(): void {
    if (!this.#beginStall()) return
    this.#engine.background.waitSync(SLEEP_MS)
  }

  /** @returns whether waiting may help; if not, the writes that wait have been refused */
  #beginStall(): boolean {
    const { stall, options, readState, health, pressure, stallFailure } = this.#engine
    if (health.isPoisoned) {
      this.#queue.refuseWaiting(health.refusal())
      return false
    }
    const reason = pressure.reason ?? 'memtables'
    if (stallFailure === undefined) {
      stall.begin(reason, readState.immutables.length)
      if (stall.durationMs <= options.stallTimeoutMs) return true
    }
    const why = stallFailure === undefined ? ` after ${options.stallTimeoutMs} ms` : `: ${stallFailure.message}`
    this.#queue.refuseWaiting(new StalledError(`${STALLED[reason]}${why}`, { cause: stallFailure }))
    this.#endStall()
    return false
  }

  #endStall(): void {
    this.#engine.stall.end(this.#engine.readState.immutables.length)
  }

  /** The next change in the background, or the signal. */
  #change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#engine.background.onChange(resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  // Flushing on demand.

  /** All groups that have joined by now are settled. */
  async #committed(): Promise<void> {
    const { last } = this.#queue
    try {
      await last?.promise
    } catch {
      // Its writers have been told.
    }
  }

  async #untilFrozen(slot: MemTableSlot, failuresBefore: number, signal: AbortSignal | undefined): Promise<void> {
    const engine = this.#engine
    while (engine.readState.active === slot) {
      this.#checkFlush(failuresBefore, signal)
      // While a group waits for its sync, and the next one may follow it at once, the drain itself rotates in between.
      if (this.#queue.begun !== undefined) engine.wantRotation()
      else if (engine.rotate(0)) continue
      await this.#change(signal)
    }
  }

  #checkFlush(failuresBefore: number, signal: AbortSignal | undefined): void {
    const { background, health } = this.#engine
    health.check()
    const { retry } = background.flushes
    if (retry.failureCount > failuresBefore) throw retry.lastError
    if (signal?.aborted)
      throw new AbortedError('the flush was aborted; it may go on in the background', { cause: signal.reason })
  }

  // Being fair to the event loop.

  #isTurnOver(bytes: number): boolean {
    this.#bytesSinceClock += bytes
    if (this.#bytesSinceClock < CLOCK_BYTES) return false
    this.#bytesSinceClock = 0
    return this.#engine.environment.clock.monotonicMs() - this.#turnStartMs >= TURN_MS
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#engine.environment.soon(() => {
        this.#turnStartMs = this.#engine.environment.clock.monotonicMs()
        resolve()
      })
    })
  }
}
