/**
 * Long runs: work of minutes, written as a generator of short steps, each of them synchronous. Here they are driven: the event
 * loop turns between steps, and an AbortSignal is looked at. A run that is aborted, or whose stream is not read to its end,
 * is ended where it stands, so its `finally` blocks let go of what it holds.
 *
 * Threads  a run belongs to the thread that drives it
 */
import type { Environment } from '../../base/environment.ts'
import { AbortedError } from '../../base/errors.ts'

/** Work in steps: each `yield` is a place where the event loop may turn; the return value is the outcome. */
export type Steps<T> = Generator<void, T, void>

/** Take all steps at once. */
export function runNow<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** How long a run may keep the event loop from turning. */
const TURN_MS = 4

/**
 * Drive a run to its end. Its first step is taken before this returns, unless there is a promise to wait for.
 * @param after what the run waits for, if anything
 * @throws (rejects with) what the run throws; AbortedError, once the signal has fired
 */
export async function runSteps<T>(
  steps: Steps<T>,
  environment: Environment,
  signal?: AbortSignal,
  after?: Promise<unknown>,
): Promise<T> {
  if (after !== undefined) await after
  let turnStartMs = environment.clock.monotonicMs()
  for (;;) {
    const step = signal?.aborted ? steps.throw(aborted(signal)) : steps.next()
    if (step.done) return step.value
    if (environment.clock.monotonicMs() - turnStartMs < TURN_MS) continue
    await new Promise<void>((resolve) => environment.soon(resolve))
    turnStartMs = environment.clock.monotonicMs()
  }
}

/** What whoever gave up is told. */
export function aborted(signal: AbortSignal): AbortedError {
  return new AbortedError('the operation was aborted', { cause: signal.reason })
}

type Chunk = Uint8Array<ArrayBuffer>

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** The chunks that a generator makes, one for each that is asked for; the event loop turns in between. */
export class ChunkStream implements AsyncIterableIterator<Chunk> {
  readonly #chunks: Generator<Chunk, void, void>
  readonly #environment: Environment
  readonly #signal: AbortSignal | undefined
  #before: (() => Promise<unknown> | undefined) | undefined
  #isOver = false
  /** Why there are no more chunks, until somebody has been told. */
  #failure: Error | undefined = undefined
  /** The call before this one: calls are answered in their order. */
  #last: Promise<unknown> = Promise.resolve()

  /** @param before called when the first chunk is asked for, which waits for what it returns */
  constructor(
    chunks: Generator<Chunk, void, void>,
    environment: Environment,
    signal: AbortSignal | undefined,
    before: () => Promise<unknown> | undefined,
  ) {
    this.#chunks = chunks
    this.#environment = environment
    this.#signal = signal
    this.#before = before
  }

  /** @throws (rejects with) what the making of the chunk throws; AbortedError. The stream is over then. */
  next(): Promise<IteratorResult<Chunk, undefined>> {
    const answer = this.#nextAfter(this.#last)
    this.#last = answer.catch(() => {})
    return answer
  }

  /** End the stream, and let go of what it holds. */
  return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#end()
    return Promise.resolve(OVER)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** End the stream, unless it is over; whoever asks for the next chunk is told why. */
  fail(error: Error): void {
    if (this.#isOver) return
    this.#failure = error
    this.#end()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#end()
    return Promise.resolve()
  }

  async #nextAfter(last: Promise<unknown>): Promise<IteratorResult<Chunk, undefined>> {
    await last
    const before = this.#before
    this.#before = undefined
    try {
      if (before !== undefined) await before()
      await new Promise<void>((resolve) => this.#environment.soon(resolve))
      const failure = this.#failure
      this.#failure = undefined
      if (failure !== undefined) throw failure
      if (this.#isOver) return OVER
      if (this.#signal?.aborted) throw aborted(this.#signal)
    } catch (error) {
      this.#end()
      throw error
    }
    // Until it has made a chunk: it may throw.
    this.#isOver = true
    const step = this.#chunks.next()
    if (step.done) return OVER
    this.#isOver = false
    return { done: false, value: step.value }
  }

  #end(): void {
    this.#isOver = true
    this.#before = undefined
    this.#chunks.return()
  }
}
