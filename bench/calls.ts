/**
 * The timed loops, one a call. They are the same for both engines, and do no more than a program would.
 */
import type { Bytes } from '../src/base/types.ts'
import type { Operations } from './dataset.ts'
import type { Subject } from './subject.ts'
import { Tally } from './tally.ts'
import type { Call } from './workloads.ts'

/** What a call works on. */
export interface Work {
  readonly timed: Operations
  readonly isReverse: boolean
  /** Of ranges: each begins with a timed key, and ends before the same element of `limits`, or after so many entries. */
  readonly limits?: readonly Bytes[]
  readonly rangeEntries?: number
  /** Of `mixed`: 1 for an operation that reads, 0 for one that writes. */
  readonly reads?: Uint8Array
}

type Run = (subject: Subject, work: Work) => Promise<Tally>

/** @returns what was read; nothing, for a call that writes */
export function perform(call: Call, subject: Subject, work: Work): Promise<Tally> {
  return RUNS[call](subject, work)
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
const NO_READS = new Uint8Array(0)
/** Operations after which the writes among them are awaited. */
const MIXED_WINDOW = 100

const RUNS: Readonly<Record<Call, Run>> = {
  async put(subject, { timed: { keys, values } }) {
    for (let i = 0; i < keys.length; i++) await subject.put(keys[i], values[i])
    return NOTHING
  },

  async put10(subject, { timed }) {
    await writeAtOnce(subject, timed, 10)
    return NOTHING
  },

  async put64(subject, { timed }) {
    await writeAtOnce(subject, timed, 64)
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

  async scanInPlace(subject) {
    const tally = new Tally()
    if (subject.scanInPlace === undefined) await subject.scanBest(false, tally)
    else subject.scanInPlace(tally)
    return tally
  },

  async range(subject, { timed: { keys }, limits, rangeEntries = Number.MAX_SAFE_INTEGER }) {
    const tally = new Tally()
    for (let i = 0; i < keys.length; i++) {
      const pending = subject.range(keys[i], limits?.[i], rangeEntries, tally)
      if (pending !== undefined) await pending
    }
    return tally
  },

  async mixed(subject, { timed: { keys, values }, reads = NO_READS }) {
    const tally = new Tally()
    let pending: Promise<void>[] = []
    for (let i = 0; i < keys.length; i++) {
      if (reads[i] === 1) {
        const value = subject.getSync(keys[i])
        if (value !== undefined) tally.addValue(value)
      } else pending.push(subject.put(keys[i], values[i]))
      if (i % MIXED_WINDOW === MIXED_WINDOW - 1) {
        await Promise.all(pending)
        pending = []
      }
    }
    await Promise.all(pending)
    return tally
  },

  async open() {
    return NOTHING
  },
}
