/**
 * Rounds: a writer on this thread at full speed, and readers on others, over one fresh table after another.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { BEGUN, CONTROL_WORDS, FAULTY, PUBLISHED, READERS } from './observer.ts'
import type { Round, RoundReport } from './observer-worker.ts'
import { loadProgram, type Program } from './program.ts'
import type { Representation } from './small-histories.ts'
import { WritePlan } from './write-plan.ts'

const CAPACITY_BYTES = 8 * 1024 * 1024
/** Plans take longer to make than to write; they come again with other readers. */
const PLANS = 3

export interface Rounds {
  readonly rounds: number
  readonly operations: number
  readonly faults: readonly string[]
}

/** Rounds until the readers have begun so many operations before the last publication of their round, or found a fault. */
export async function playRounds(
  url: string,
  representation: Representation,
  readers: number,
  operations: number,
  seed: number,
): Promise<Rounds> {
  const program = await loadProgram(url)
  const entry = new URL('./observer-worker.js', import.meta.url)
  const workers = Array.from(
    { length: readers },
    () => new Worker(entry, { workerData: { program: url }, execArgv: [] }),
  )
  const plans = Array.from({ length: PLANS }, (_, i) => new WritePlan(seed + i))
  let rounds = 0
  let done = 0
  const faults: string[] = []
  try {
    for (; done < operations && faults.length === 0; rounds++) {
      const planSeed = seed + (rounds % PLANS)
      const reports = await playRound(program, representation, workers, plans[rounds % PLANS], planSeed, rounds)
      for (const report of reports) {
        done += report.operations
        faults.push(...report.faults)
      }
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return { rounds, operations: done, faults }
}

async function playRound(
  program: Program,
  representation: Representation,
  workers: readonly Worker[],
  plan: WritePlan,
  planSeed: number,
  number: number,
): Promise<RoundReport[]> {
  const control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4))
  const table = program.MemTable.create({ capacityBytes: CAPACITY_BYTES, representation, seed: number })
  const reports = workers.map((worker) => once(worker, 'message') as Promise<[RoundReport]>)
  workers.forEach((worker, i) => {
    worker.postMessage({ token: table.share(), planSeed, readerSeed: number * 8 + i, control } satisfies Round)
  })
  // All at work before the first write.
  for (let ready = 0; ready < workers.length; ready = Atomics.load(control, READERS)) {
    Atomics.wait(control, READERS, ready, 100)
  }
  for (let batch = 1; batch <= plan.batches && Atomics.load(control, FAULTY) === 0; batch++) {
    Atomics.store(control, BEGUN, batch)
    plan.write(table, batch)
    Atomics.store(control, PUBLISHED, batch)
  }
  Atomics.store(control, PUBLISHED, plan.batches)
  if (Atomics.load(control, FAULTY) === 0) table.freeze()
  return (await Promise.all(reports)).map(([report]) => report)
}
