/**
 * The worker's side of a lane (lane.ts): takes one step after another, and says before each which one it is.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { KeptTally, type Tally } from './tally.ts'

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

/** Words that both sides see: the step that is being taken, and whether to stop. */
export const STEP = 0
export const STOP = 1
export const LANE_WORDS = 2

/** Take the steps that the owner asks for. A step that throws ends the thread, and the owner makes a finding of it. */
export async function takeSteps(makeStep: (data: unknown) => (step: number, tally: Tally) => unknown): Promise<void> {
  const { data, first, limit, stride, words: shared } = workerData as LaneData
  const words = new Int32Array(shared)
  const tally = new KeptTally()
  const take = makeStep(data)
  let reportMs = performance.now() + REPORT_MS
  for (let step = first; step < limit && Atomics.load(words, STOP) === 0; step += stride) {
    Atomics.store(words, STEP, step)
    const taken = take(step, tally)
    if (taken instanceof Promise) await taken
    if (performance.now() < reportMs) continue
    parentPort?.postMessage(tally.take())
    reportMs = performance.now() + REPORT_MS
  }
  parentPort?.postMessage(tally.take())
}
