/**
 * CommitDriver: drives groups of writes through the phases of commit-queue.ts, and does the waiting between them, synchronously (this
 * thread sleeps) or asynchronously (the caller gets a promise).
 *
 * An asynchronous write joins the queue at once and is committed when the current turn's synchronous code has run, so all
 * writes of a turn, and all that arrive while a sync is under way, form one group. A synchronous write first completes
 * everything that was queued before it. Either way, program order is commit order.
 *
 * What needs no waiting, as most groups do, is committed by one microtask; only what waits is an async function's.
 */
import { StalledError } from '../../base/errors.ts'
import { CHANGING, NOTHING } from '../calls.ts'
import type { Engine } from '../engine.ts'
import type { StallReason } from '../reports/events.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { WriteGroup } from './write-group.ts'

/** How long an asynchronous writer may keep the event loop from turning. */
const TURN_MS = 1
/** Bytes of writes between two looks at the clock: a dozen small groups, or a large one. */
const CLOCK_BYTES = 2048
/** What writes that are refused are told. */
const STALLED: Readonly<Record<StallReason, string>> = {
  memtables: 'no MemTable is free, since frozen ones cannot be flushed',
  'level0-tables': 'level 0 is full, since its tables cannot be compacted',
  'compaction-debt': 'compactions are too far behind',
}
/** Longest sleep of a writer that waits for room before it looks around again; and into how many it divides a short wait at least. */
const SLEEP_MS = 1000
const SLEEPS_MIN = 8
/** The same, of one that is slowed down. */
const PAUSE_SYNC_MS = 20

export class CommitDriver {
  readonly #engine: Engine
  readonly #queue: CommitQueue
  readonly #settled: Promise<void> = Promise.resolve()
  readonly #endTurn: () => void
  #isDraining = false
  #bytesSinceClock = 0
  #turnStartMs = 0
  #turnIsOver = false

  constructor(engine: Engine) {
    this.#engine = engine
    this.#queue = engine.queue
    this.#endTurn = () => this.#commitTurn()
  }

  /** Commit the group, and all before it, soon; `group.promise` tells. */
  commit(group: WriteGroup): Promise<void> {
    const { promise } = group
    if (!this.#isDraining) {
      // Let the rest of this turn's synchronous code join. Before the flag is set, since the call may throw, where the stack ends.
      void this.#settled.then(this.#endTurn)
      this.#isDraining = true
    }
    return promise
  }

  /**
   * Commit the group, and all before it, now.
   * @throws what the group failed with
   */
  commitSync(group: WriteGroup): void {
    const { calls } = this.#engine
    calls.watch()
    while (!group.isSettled) {
      calls.begin(CHANGING)
      try {
        if (this.#stepSync()) continue
      } finally {
        calls.now = NOTHING
        calls.tellUntold()
      }
      this.#waitSync()
    }
    this.#endStall()
    if (group.error !== undefined) throw group.error
  }

  /** Commit the next group. @returns false if it has to wait */
  #stepSync(): boolean {
    const { begun } = this.#queue
    if (begun !== undefined) this.#syncNow(begun)
    else if (this.#engine.pace.owedMs > 0 || !this.#admit()) return false
    else this.#commitNextSync()
    return true
  }

  #commitTurn(): void {
    try {
      if (this.#commitReady()) this.#drained()
      else void this.#drain()
    } catch (error) {
      this.#abandon(error as Error)
    }
  }

  /** Commit groups until one has to wait. @returns whether none is left, and the turn is not over */
  #commitReady(): boolean {
    const { calls } = this.#engine
    calls.begin(CHANGING)
    try {
      return this.#commitGroups()
    } finally {
      calls.now = NOTHING
      calls.tellUntold()
    }
  }

  #commitGroups(): boolean {
    this.#queue.settleBroken()
    // A synchronous writer that came to the end of the stack has left it.
    const { begun } = this.#queue
    if (begun !== undefined) this.#syncNow(begun)
    for (let group = this.#queue.next; group !== undefined; group = this.#queue.next) {
      if (group.durability === 'disk' || this.#queue.begun !== undefined) return false
      if (this.#engine.pace.owedMs > 0 || !this.#admit()) return false
      this.#commitNextSync()
      this.#endStall()
      if (this.#isTurnOver(group.bytes)) return false
    }
    return true
  }

  async #drain(): Promise<void> {
    try {
      do await this.#waitForNext()
      while (!this.#commitReady())
      this.#drained()
    } catch (error) {
      this.#abandon(error as Error)
    }
  }

  /** Wait for what the next group waits for: a turn of the event loop, time, room, or its sync. */
  async #waitForNext(): Promise<void> {
    if (this.#turnIsOver) await this.#nextTurn()
    // A synchronous writer may have committed it meanwhile; then nobody needs room, and the database may be closed.
    if (this.#queue.begun === undefined && this.#queue.next === undefined) return
    const pauseMs = this.#queue.begun === undefined ? this.#engine.pace.owedMs : 0
    if (pauseMs > 0) return await this.#pause(pauseMs)
    if (this.#queue.begun === undefined && !this.#admit()) return await this.#untilRoom()
    const group = this.#queue.begin()
    if (group === undefined) return await this.#refused()
    this.#engine.pace.charge(group.bytes)
    if (group.durability === 'disk') await this.#syncLater(group)
    this.#queue.finish(group)
    this.#endStall()
    if (this.#isTurnOver(group.bytes)) await this.#nextTurn()
  }

  #drained(): void {
    this.#isDraining = false
    this.#engine.background.changed()
  }

  /** What nobody thought of: a group of which nobody knows how far it got is as one whose log failed. */
  #abandon(error: Error): void {
    this.#queue.failSync(this.#queue.begun, error)
    this.#drained()
  }

  /** As the rotation's; if no further MemTable, or its log, can be had, the writes that wait for it are refused. */
  #admit(): boolean {
    try {
      return this.#engine.rotation.admit()
    } catch (cause) {
      const message = `no further MemTable can be begun: ${(cause as Error).message}`
      this.#queue.refuseWaiting(new StalledError(message, { cause }))
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
      log.fail(error)
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

  /** What came next was refused. The event loop turns, also if it is tried again at once: what is short may be freed there. */
  #refused(): Promise<void> {
    this.#endStall()
    return this.#nextTurn()
  }

  // Waiting for room.

  async #untilRoom(): Promise<void> {
    if (!this.#beginStall()) return await this.#refused()
    const { environment, background } = this.#engine
    const cancel = environment.later(this.#sleepMs, () => background.changed(), true)
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

  #waitSync(): void {
    const pauseMs = this.#engine.pace.owedMs
    if (pauseMs > 0) this.#pauseSync(pauseMs)
    else this.#waitForRoomSync()
  }

  #pauseSync(pauseMs: number): void {
    const { environment, stall, background, calls } = this.#engine
    const portionMs = Math.min(pauseMs, PAUSE_SYNC_MS)
    environment.sleep(portionMs)
    stall.delayed(portionMs)
    calls.changing(() => background.poll())
  }

  #waitForRoomSync(): void {
    if (!this.#beginStall()) return
    const { background, calls } = this.#engine
    calls.changing(() => background.waitSync(this.#sleepMs))
  }

  /** @returns whether waiting may help; if not, the writes that wait have been refused, or there is room */
  #beginStall(): boolean {
    const { stall, options, readState, health, pressure, background } = this.#engine
    if (health.isPoisoned) {
      this.#queue.refuseWaiting(health.refusal())
      return false
    }
    const reason = pressure.reason ?? 'memtables'
    const { failure, retry } = background.laneFor(reason)
    if (failure === undefined) {
      stall.begin(reason, readState.immutables.length)
      // A listener has written meanwhile, and waited.
      if (stall.reason === undefined) return false
      if (stall.waitedMs(2 * this.#sleepMs) <= options.stallTimeoutMs) return true
    }
    // What is tried again has failed as well so far.
    const cause = failure ?? retry.trouble
    const after = failure === undefined ? ` after ${options.stallTimeoutMs} ms` : ''
    const why = cause === undefined ? '' : `: ${cause.message}`
    this.#queue.refuseWaiting(new StalledError(`${STALLED[reason]}${after}${why}`, { cause }))
    this.#endStall()
    return false
  }

  get #sleepMs(): number {
    return Math.min(SLEEP_MS, Math.ceil(this.#engine.options.stallTimeoutMs / SLEEPS_MIN))
  }

  #endStall(): void {
    this.#engine.stall.end(this.#engine.readState.immutables.length)
  }

  /** The next change in the background. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#engine.background.onChange(resolve))
  }

  // Being fair to the event loop.

  #isTurnOver(bytes: number): boolean {
    this.#bytesSinceClock += bytes
    if (this.#bytesSinceClock < CLOCK_BYTES) return false
    this.#bytesSinceClock = 0
    this.#turnIsOver = this.#engine.environment.clock.monotonicMs() - this.#turnStartMs >= TURN_MS
    return this.#turnIsOver
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#engine.environment.soon(() => {
        this.#turnIsOver = false
        this.#turnStartMs = this.#engine.environment.clock.monotonicMs()
        resolve()
      })
    })
  }
}
