/**
 * Drivers: who waits between the engine's phases. Each operation exists once, as phases; here it is driven synchronously
 * (this thread sleeps) or asynchronously (the caller gets a promise). The only file of the engine with `await`, besides
 * open.ts, which waits for the lock.
 *
 * An asynchronous write joins the queue at once and is committed when the current turn's synchronous code has run, so all
 * writes of a turn, and all that arrive while a sync is under way, form one group. A synchronous write first completes
 * everything that was queued before it. Either way, program order is commit order.
 */
import { closeAll } from '../base/close-all.ts'
import type { DirectoryLock } from '../base/environment.ts'
import { AbortedError, StalledError } from '../base/errors.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { Engine } from './engine.ts'
import { isEmpty, type MemTableSlot } from './read-state.ts'
import type { WriteGroup } from './write-group.ts'

/** How long an asynchronous writer may keep the event loop from turning. */
const TURN_MS = 4
/** Groups between two looks at the clock. */
const CLOCK_EVERY = 16
/** Longest sleep of a synchronous writer before it looks around again. */
const SLEEP_MS = 1000

export class Drivers {
  readonly #engine: Engine
  readonly #queue: CommitQueue
  #isDraining = false
  #groupsSinceClock = 0
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
      if (begun !== undefined) this.#syncNow(begun)
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
    const failuresBefore = background.failureCount
    background.tryAgain()
    const { active, immutables } = this.#engine.readState
    const last = isEmpty(active) ? immutables[0] : active
    if (last === active) await this.#untilFrozen(active, failuresBefore, signal)
    while (last !== undefined && this.#engine.readState.immutables.includes(last)) {
      this.#checkFlush(failuresBefore, signal)
      await this.#change(signal)
    }
    health.check()
  }

  /**
   * Flush what is in memory, or make the log durable if that fails, and let go of everything, the lock last.
   * @throws the first error; everything has been let go of all the same
   */
  async close(lock: DirectoryLock | undefined): Promise<void> {
    let failure: Error | undefined
    try {
      await this.#committed()
      if (!this.#engine.options.readOnly) await this.#flushOrSync()
    } catch (error) {
      failure = error as Error
    }
    await this.#jobEnded()
    closeAll([
      () => {
        if (failure !== undefined) throw failure
      },
      () => this.#engine.release(),
      () => lock?.release(),
    ])
  }

  /** A job that still ran would write to a directory that the next opener has. */
  async #jobEnded(): Promise<void> {
    const { background, environment, options } = this.#engine
    let isLate = false
    const late = (): void => {
      isLate = true
      background.changed()
    }
    const cancel = environment.later(options.stallTimeoutMs, late, true)
    while (background.outputNumber !== undefined && !isLate) await this.#change()
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
      if (this.#queue.begun === undefined && !this.#admit()) {
        await this.#untilRoom()
        continue
      }
      const group = this.#queue.begin()
      if (group === undefined) continue
      if (group.durability === 'disk') await this.#syncLater(group)
      this.#queue.finish(group)
      this.#endStall()
      if (this.#isTurnOver()) await this.#nextTurn()
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

  #waitForRoomSync(): void {
    if (!this.#beginStall()) return
    this.#engine.background.waitSync(SLEEP_MS)
  }

  /** @returns whether waiting may help; if not, the writes that wait have been refused */
  #beginStall(): boolean {
    const { stall, options, background, readState, health } = this.#engine
    if (health.isPoisoned) {
      this.#queue.refuseWaiting(health.refusal())
      return false
    }
    if (background.failure === undefined) {
      stall.begin(readState.immutables.length)
      if (stall.durationMs <= options.stallTimeoutMs) return true
    }
    const reason =
      background.failure === undefined ? ` after ${options.stallTimeoutMs} ms` : `: ${background.failure.message}`
    const message = `no MemTable is free, since frozen ones cannot be flushed${reason}`
    this.#queue.refuseWaiting(new StalledError(message, { cause: background.failure }))
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
    if (background.failureCount > failuresBefore) throw background.lastError
    if (signal?.aborted)
      throw new AbortedError('the flush was aborted; it may go on in the background', { cause: signal.reason })
  }

  // Being fair to the event loop.

  #isTurnOver(): boolean {
    if (this.#groupsSinceClock++ < CLOCK_EVERY) return false
    this.#groupsSinceClock = 0
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
