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
}

const WINDOW = 100
const BUFFER_BYTES = 64 * 1024 * 1024

async function run(entries: number, directory: string): Promise<LoopFigures> {
  const plan = new Plan({ entries, seed: 1 })
  const [segment] = plan.segments
  const options = { writeBufferBytes: BUFFER_BYTES, cacheBytes: undefined, isDurable: false }
  const subject = await VarveSubject.open(directory, options)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const startMs = performance.now()
  for (let begin = 0; begin < entries; begin += WINDOW) {
    const pending: Promise<void>[] = []
    for (let i = begin; i < Math.min(begin + WINDOW, entries); i++) {
      const index = plan.keyIndex(segment, i)
      pending.push(subject.put(plan.key(index), plan.value(index, segment)))
    }
    await Promise.all(pending)
  }
  const microseconds = ((performance.now() - startMs) * 1000) / entries
  delay.disable()
  await subject.close()
  return { entries, microseconds, p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 }
}

console.log(JSON.stringify(await run(Number(process.argv[2]), process.argv[3])))
