/**
 * Drivers: who waits between the engine's phases for what is asked for: a flush, a compaction, the end. commit-driver.ts waits for
 * writes. Each operation exists once, as phases; here it is driven.
 */
import { AbortedError, ClosedError } from '../base/errors.ts'
import type { KeyRange } from '../version/overlap.ts'
import { pickContext } from './background/compaction-plans.ts'
import { hasKeysInMemory, isEmptyRange, ManualCompaction } from './background/manual-compaction.ts'
import type { Engine } from './engine.ts'
import { isEmpty, type MemTableSlot, type ReadState } from './read/read-state.ts'
import type { EventLog } from './reports/event-log.ts'
import type { CommitDriver } from './write/commit-driver.ts'
import type { CommitQueue } from './write/commit-queue.ts'

/**
 * MemTable bytes that closing flushes on its own thread, rather than start one: they take a few milliseconds, and a thread
 * a hundred and more (docs/performance.md).
 */
const LITTLE_BYTES = 256 * 1024

/** What whoever gives up is told. */
const FLUSH_ABORTED = 'the flush was aborted; it may go on in the background'
const COMPACTION_ABORTED = 'the compaction was aborted; the step under way is completed'

/** Whoever waits for something, and may give up. */
class Waiter {
  readonly signal: AbortSignal | undefined
  readonly #aborted: string

  /** @param aborted what it is told when it has given up */
  constructor(signal: AbortSignal | undefined, aborted: string) {
    this.signal = signal
    this.#aborted = aborted
  }

  /** @throws AbortedError once the signal has fired */
  check(): void {
    if (this.signal?.aborted) throw new AbortedError(this.#aborted, { cause: this.signal.reason })
  }
}

export class Drivers {
  readonly #engine: Engine
  readonly #queue: CommitQueue
  readonly #commits: CommitDriver
  readonly #log: EventLog | undefined

  /** @param log told when the database is closed */
  constructor(engine: Engine, commits: CommitDriver, log: EventLog | undefined) {
    this.#engine = engine
    this.#commits = commits
    this.#queue = engine.queue
    this.#log = log
  }

  /**
   * Write what has been written so far to tables, and wait until they are installed.
   * @throws the error of the first attempt that fails from now on; the background goes on trying
   */
  flush(signal?: AbortSignal): Promise<void> {
    return this.#flushFor(new Waiter(signal, FLUSH_ABORTED))
  }

  async #flushFor(waiter: Waiter): Promise<void> {
    waiter.check()
    await this.#committed()
    const { background, health } = this.#engine
    health.check()
    // Inline, an attempt fails before tryAgain returns.
    const failuresBefore = background.flushes.retry.failureCount
    background.tryAgain()
    const { active, immutables } = this.#engine.readState
    const last = isEmpty(active) ? immutables[0] : active
    if (last === active) await this.#untilFrozen(active, failuresBefore, waiter)
    while (last !== undefined && this.#engine.readState.immutables.includes(last)) {
      this.#checkFlush(failuresBefore, waiter)
      await this.#change(waiter)
    }
    // Whoever looks at the directory now does not find logs that nobody needs.
    while (this.#engine.isRemoving && !health.isPoisoned && !waiter.signal?.aborted) await this.#change(waiter)
    health.check()
  }

  /**
   * Compact the tables that hold keys of a range, down to the deepest level that has any, with what is in memory of it.
   * @throws the error of the first attempt that fails from now on; compactions go on by themselves
   */
  async compactRange(range: KeyRange, signal?: AbortSignal): Promise<void> {
    const waiter = new Waiter(signal, COMPACTION_ABORTED)
    waiter.check()
    await this.#committed()
    const engine = this.#engine
    if (isEmptyRange(engine, range)) return
    if (hasKeysInMemory(engine, range)) await this.#flushFor(waiter)
    const { compactions } = engine.background
    this.#checkCompaction(waiter)
    // One at a time.
    while (compactions.manual !== undefined) await this.#compactionChange(waiter)
    const failuresBefore = compactions.retry.failureCount
    const manual = new ManualCompaction(() => pickContext(engine), range)
    try {
      compactions.beginManual(manual)
      while (!manual.isOver) {
        if (compactions.retry.failureCount > failuresBefore) throw compactions.retry.lastError
        await this.#compactionChange(waiter)
      }
    } finally {
      compactions.endManual()
    }
  }

  async #compactionChange(waiter: Waiter): Promise<void> {
    await this.#change(waiter)
    this.#checkCompaction(waiter)
  }

  /** @throws if the compaction of a range need not be waited for: the database fails or closes, or the caller gives up */
  #checkCompaction(waiter: Waiter): void {
    const { health, background } = this.#engine
    health.check()
    if (background.compactions.isEnded) throw new ClosedError('the database was closed during the compaction')
    waiter.check()
  }

  /**
   * Flush what is in memory, or make the log durable if that fails, and let go of everything, the lock last.
   * @throws the first error; everything has been let go of all the same
   */
  async close(): Promise<void> {
    const { clock } = this.#engine.environment
    const startMs = clock.monotonicMs()
    let failure: unknown
    try {
      await this.#letGo()
    } catch (error) {
      failure = error
      throw error
    } finally {
      this.#log?.closed(clock.monotonicMs() - startMs, failure)
    }
  }

  async #letGo(): Promise<void> {
    let failure: Error | undefined
    try {
      await this.#committed()
      const { background, readState } = this.#engine
      // What a flush adds, the next opening compacts.
      background.compactions.end()
      if (isLittle(readState)) background.executor.startNoThread()
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
      await this.#unlocked()
      this.#engine.damage.tell()
    } catch (error) {
      failure ??= error as Error
    }
    if (failure !== undefined) throw failure
  }

  /**
   * A thread that was ended in the midst of a compaction may still be in a call that writes a file, whose number is the next
   * opener's to give away: the lock stays until it has ended, if need be longer than `close` waits.
   */
  async #unlocked(): Promise<void> {
    const { background, environment, options, place } = this.#engine
    const released = background.ended.then(() => place.unlock())
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
    let isLate = this.#engine.isCutOff
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

  /** The next change in the background, or the signal. */
  #change({ signal }: Partial<Waiter> = {}): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        // A signal may outlive many calls.
        signal?.removeEventListener('abort', done)
        resolve()
      }
      this.#engine.background.onChange(done)
      signal?.addEventListener('abort', done)
      // One that has fired since it was looked at, in a listener, does not fire again.
      if (signal?.aborted) done()
    })
  }

  // Flushing on demand.

  /** All groups that have joined by now are settled. */
  async #committed(): Promise<void> {
    const { last } = this.#queue
    try {
      // They have a driver already, unless that was a synchronous writer who came to the end of the stack.
      if (last !== undefined) await this.#commits.commit(last)
    } catch {
      // Its writers have been told.
    }
  }

  async #untilFrozen(slot: MemTableSlot, failuresBefore: number, waiter: Waiter): Promise<void> {
    const engine = this.#engine
    while (engine.readState.active === slot) {
      this.#checkFlush(failuresBefore, waiter)
      // While a group waits for its sync, and the next one may follow it at once, the drain itself rotates in between.
      if (this.#queue.begun !== undefined) engine.rotation.want()
      else if (engine.rotation.rotate(0)) continue
      await this.#change(waiter)
    }
  }

  #checkFlush(failuresBefore: number, waiter: Waiter): void {
    const { background, health } = this.#engine
    health.check()
    const { retry } = background.flushes
    if (retry.failureCount > failuresBefore) throw retry.lastError
    waiter.check()
  }
}

/** Range deletes may have tables to read, however few they are. */
function isLittle({ active, immutables }: ReadState): boolean {
  let bytes = 0
  for (const { table } of [active, ...immutables]) {
    if (table.rangeTombstoneCount > 0) return false
    bytes += table.memoryUsage
  }
  return bytes <= LITTLE_BYTES
}
