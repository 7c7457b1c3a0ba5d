/**
 * The timed loops, one a call. They are the same for both engines, and do no more than a program would.
 */
import type { Dataset, Operations } from './dataset.ts'
import type { Subject } from './subject.ts'
import { Tally } from './tally.ts'
import type { Call } from './workloads.ts'

type Run = (subject: Subject, dataset: Dataset) => Promise<Tally>

/** @returns what was read; nothing, for a call that writes */
export function perform(call: Call, subject: Subject, dataset: Dataset): Promise<Tally> {
  return RUNS[call](subject, dataset)
}

/** Write all operations in batches of 1,000. */
export async function writeInBatches(subject: Subject, operations: Operations): Promise<void> {
  const count = operations.keys.length
  for (let i = 0; i < count; i += 1000) await subject.writeBatch(operations, i, Math.min(i + 1000, count))
}

/** Write all operations as single puts, `width` of them in flight: the next ones begin when all of them are done. */
export async function writeAtOnce(subject: Subject, { keys, values }: Operations, width: number): Promise<void> {
  for (let i = 0; i < keys.length; i += width) {
    const limit = Math.min(i + width, keys.length)
    const pending: Promise<void>[] = []
    for (let j = i; j < limit; j++) pending.push(subject.put(keys[j], values[j]))
    await Promise.all(pending)
  }
}

const NOTHING: Tally = new Tally()

const RUNS: Readonly<Record<Call, Run>> = {
  async put(subject, { timed: { keys, values } }) {
    for (let i = 0; i < keys.length; i++) await subject.put(keys[i], values[i])
    return NOTHING
  },

  async put100(subject, { timed }) {
    await writeAtOnce(subject, timed, 100)
    return NOTHING
  },

  async put1000(subject, { timed }) {
    await writeAtOnce(subject, timed, 1000)
    return NOTHING
  },

  async putSync(subject, { timed: { keys, values } }) {
    for (let i = 0; i < keys.length; i++) subject.putSync(keys[i], values[i])
    return NOTHING
  },

  async batch1000(subject, { timed }) {
    await writeInBatches(subject, timed)
    return NOTHING
  },

  async get(subject, { timed: { keys } }) {
    const tally = new Tally()
    for (let i = 0; i < keys.length; i++) {
      const value = await subject.get(keys[i])
      if (value !== undefined) tally.addValue(value)
    }
    return tally
  },

  async getSync(subject, { timed: { keys } }) {
    const tally = new Tally()
    for (let i = 0; i < keys.length; i++) {
      const value = subject.getSync(keys[i])
      if (value !== undefined) tally.addValue(value)
    }
    return tally
  },

  async scan(subject, { isReverse }) {
    const tally = new Tally()
    for await (const [key, value] of subject.scan(isReverse)) tally.addEntry(key, value)
    return tally
  },

  async scanBest(subject, { isReverse }) {
    const tally = new Tally()
    await subject.scanBest(isReverse, tally)
    return tally
  },

  async open() {
    return NOTHING
  },
}
