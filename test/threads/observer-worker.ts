/**
 * A thread that observes tables: each message is a round, and is answered when the round is over.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { MemTableToken } from '../../src/memtable/memtable-options.ts'
import { Observer, READERS } from './observer.ts'
import { loadProgram } from './program.ts'
import { WritePlan } from './write-plan.ts'

export interface Round {
  readonly token: MemTableToken
  readonly planSeed: number
  readonly readerSeed: number
  readonly control: Int32Array
}

export interface RoundReport {
  readonly operations: number
  readonly faults: readonly string[]
}

const port = parentPort!
const program = await loadProgram((workerData as { readonly program: string }).program)
const plans = new Map<number, WritePlan>()

port.on('message', ({ token, planSeed, readerSeed, control }: Round) => {
  const plan = plans.get(planSeed) ?? new WritePlan(planSeed)
  plans.set(planSeed, plan)
  const observer = new Observer(program, token, plan, control, readerSeed)
  Atomics.add(control, READERS, 1)
  Atomics.notify(control, READERS)
  observer.run()
  port.postMessage({ operations: observer.operations, faults: observer.faults } satisfies RoundReport)
})
