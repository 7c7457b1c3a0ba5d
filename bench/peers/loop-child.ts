/**
 * loop-child: how long the event loop of a program waits that writes to varve without end: random puts, 100 in flight. Prints
 * LoopFigures. Arguments: entries, directory.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Plan } from '../growth/plan.ts'
import { VarveSubject } from '../varve-subject.ts'

export interface LoopFigures {
  readonly entries: number
  readonly microseconds: number
  readonly p99Ms: number
  readonly maxMs: number
  /** The longest that a hundred puts took, on the clock, and for how much of it this thread ran; undefined on Node.js < 23.9. */
  readonly longest: { readonly ms: number; readonly ranMs: number } | undefined
}

const WINDOW = 100
const BUFFER_BYTES = 64 * 1024 * 1024

/** process.threadCpuUsage, which Node.js has since 23.9, and @types/node of an older one has not. */
type ThreadCpuUsage = () => { readonly user: number; readonly system: number }
const { threadCpuUsage } = process as { readonly threadCpuUsage?: ThreadCpuUsage }

/** What the longest of many turns was made of: a delay in which the thread did not run is the machine's. */
class Turns {
  longest: LoopFigures['longest']
  #beganMs = performance.now()
  #ranMs = Turns.#ran()

  static #ran(): number {
    const usage = threadCpuUsage?.()
    return usage === undefined ? 0 : (usage.user + usage.system) / 1000
  }

  end(): void {
    const nowMs = performance.now()
    const ranMs = Turns.#ran()
    const ms = nowMs - this.#beganMs
    if (threadCpuUsage !== undefined && ms > (this.longest?.ms ?? 0)) this.longest = { ms, ranMs: ranMs - this.#ranMs }
    this.#beganMs = nowMs
    this.#ranMs = ranMs
  }
}

async function run(entries: number, directory: string): Promise<LoopFigures> {
  const plan = new Plan({ entries, seed: 1 })
  const [segment] = plan.segments
  const options = { writeBufferBytes: BUFFER_BYTES, cacheBytes: undefined, isDurable: false }
  const subject = await VarveSubject.open(directory, options)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const turns = new Turns()
  delay.enable()
  const startMs = performance.now()
  for (let begin = 0; begin < entries; begin += WINDOW) {
    const pending: Promise<void>[] = []
    for (let i = begin; i < Math.min(begin + WINDOW, entries); i++) {
      const index = plan.keyIndex(segment, i)
      pending.push(subject.put(plan.key(index), plan.value(index, segment)))
    }
    await Promise.all(pending)
    turns.end()
  }
  const microseconds = ((performance.now() - startMs) * 1000) / entries
  delay.disable()
  await subject.close()
  return { entries, microseconds, p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6, longest: turns.longest }
}

console.log(JSON.stringify(await run(Number(process.argv[2]), process.argv[3])))
