/**
 * The worker's side of a lane (lane.ts): takes one step after another, and says before each which one it is.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { KeptTally, type LaneContext } from './tally.ts'

/** Between two messages to the owner. */
const REPORT_MS = 200

export interface LaneData {
  /** What the module is told of its work. */
  readonly data: unknown
  readonly first: number
  readonly limit: number
  /** From one step to the next one: other lanes take those between. */
  readonly stride: number
  /** Words of LANE_WORDS. */
  readonly words: SharedArrayBuffer
}

/** Words that both sides see: the step that is being taken, whether to stop, and turns that the event loop has had. */
export const STEP = 0
export const STOP = 1
export const TURNS = 2
export const LANE_WORDS = 3

/** Between two turns that are counted, and of a turn at most if its steps are short. */
const TURN_MS = 500

/** Take the steps that the owner asks for. A step that throws ends the thread, and the owner makes a finding of it. */
export async function takeSteps(
  makeStep: (data: unknown) => (step: number, context: LaneContext) => unknown,
): Promise<void> {
  const { data, first, limit, stride, words: shared } = workerData as LaneData
  const words = new Int32Array(shared)
  const context = new WorkerContext(words)
  const take = makeStep(data)
  const turns = setInterval(() => Atomics.add(words, TURNS, 1), TURN_MS)
  let turnEndMs = performance.now() + TURN_MS
  for (let step = first; step < limit && Atomics.load(words, STOP) === 0; step += stride) {
    Atomics.store(words, STEP, step)
    const taken = take(step, context)
    if (taken instanceof Promise) await taken
    // Steps that only wait for one another never end a turn, and until one ends Node keeps some of what they made.
    if (performance.now() >= turnEndMs) {
      await new Promise(setImmediate)
      turnEndMs = performance.now() + TURN_MS
    }
  }
  clearInterval(turns)
  context.report()
}

/** Reports now and then, also in the middle of a step. */
class WorkerContext extends KeptTally implements LaneContext {
  readonly #words: Int32Array
  #reportMs = performance.now() + REPORT_MS

  constructor(words: Int32Array) {
    super()
    this.#words = words
  }

  isOver(): boolean {
    return Atomics.load(this.#words, STOP) === 1
  }

  override count(what: string, by?: number): void {
    super.count(what, by)
    if (performance.now() >= this.#reportMs) this.report()
  }

  report(): void {
    parentPort?.postMessage(this.take())
    this.#reportMs = performance.now() + REPORT_MS
  }
}
