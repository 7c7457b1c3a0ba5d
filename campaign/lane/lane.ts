/**
 * Lane: steps of a campaign on a thread of their own, watched: a step that never ends, exhausts the heap or brings its thread
 * down is a finding with the step's number, and the lane goes on with the step after it. There are as many lanes as processors,
 * up to a few, which share the steps: lane i of n takes the steps i, i + n, ….
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { CampaignContext } from '../campaign.ts'
import { LANE_WORDS, type LaneData, STEP, STOP, TURNS } from './lane-worker.ts'
import { addTo, type Taken } from './tally.ts'

export interface LaneOptions {
  /** A module that calls takeSteps. */
  readonly module: URL
  readonly data: unknown
  readonly first: number
  readonly limit: number
  /** Steps after which all is done, if there are further ones; for the display. */
  readonly total?: number
  /** A step may take as long as it likes, as long as it lets others have their turn. */
  readonly hasLongSteps?: boolean
  /** What a step is in words, and how to do it again. */
  describe(step: number): { readonly details: string; readonly reproduction: unknown }
}

/** The longest of steps, and the start of a thread, take a hundredth of that, on a machine that does nothing else. */
const HANG_MS = 60_000
const LOOK_MS = 250
/** A step that needs more heap than this has allocated by a length that it was told. */
const HEAP_MB = 512

/** Lanes at most: each has a heap of its own. */
const LANES_MAX = 4

/** Take the steps, until there are none left or the time is over. */
export async function runLanes(context: CampaignContext, options: LaneOptions): Promise<void> {
  const lanes = Math.min(LANES_MAX, availableParallelism())
  await Promise.all(Array.from({ length: lanes }, (_, lane) => runLane(context, options, options.first + lane, lanes)))
}

async function runLane(context: CampaignContext, options: LaneOptions, first: number, stride: number): Promise<void> {
  let next = first
  while (next < options.limit && !context.isOver()) next = await runThread(context, options, next, stride)
}

/** @returns the step to go on with */
function runThread(context: CampaignContext, options: LaneOptions, first: number, stride: number): Promise<number> {
  const words = new Int32Array(new SharedArrayBuffer(4 * LANE_WORDS))
  words[STEP] = first
  const workerData: LaneData = { data: options.data, first, limit: options.limit, stride, words: words.buffer }
  const worker = new Worker(options.module, { workerData, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } })
  return new Promise((resolve) => {
    let seen = -1
    let seenMs = performance.now()
    let failure: string | undefined
    const look = setInterval(() => {
      if (context.isOver()) Atomics.store(words, STOP, 1)
      const step = Atomics.load(words, STEP)
      context.progress(step, options.total ?? options.limit)
      const now = options.hasLongSteps ? Atomics.load(words, TURNS) : step
      if (now !== seen) seenMs = performance.now()
      seen = now
      if (performance.now() - seenMs < HANG_MS) return
      failure = 'hang'
      void worker.terminate()
    }, LOOK_MS)
    worker.on('message', (taken: Taken) => addTo(context, taken))
    worker.on('error', (error) => {
      failure = `crash: ${error.stack ?? error}`
    })
    worker.on('exit', () => {
      clearInterval(look)
      const step = Atomics.load(words, STEP)
      if (failure !== undefined) tell(context, options, step, failure)
      resolve(failure === undefined && words[STOP] === 0 ? options.limit : step + stride)
    })
  })
}

function tell(context: CampaignContext, options: LaneOptions, step: number, failure: string): void {
  const { details, reproduction } = options.describe(step)
  context.finding(failure === 'hang' ? 'hang' : 'crash', `${details}: ${failure}`, reproduction)
}
