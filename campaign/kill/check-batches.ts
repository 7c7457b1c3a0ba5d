/**
 * What a database must hold that took numbered batches (batches.ts) until something ended it: each batch whole, and no hole.
 */
import type { Engine } from '../engines/engine.ts'
import { batchKey, batchValue, COUNTERS, digits, SCRATCH, scratchKeysAfter } from './batches.ts'

/** Something was lost, or is wrong. */
export class LifeError extends Error {}

/**
 * @param acknowledged the last batch that must be there
 * @param recent so many batches before the last are looked at, and all counters
 * @returns how many batches there are
 * @throws LifeError
 */
export async function checkBatches(engine: Engine, acknowledged: number, recent: number): Promise<number> {
  const counters = await Promise.all(COUNTERS.map((counter) => engine.get(counter)))
  if (new Set(counters).size > 1) throw new LifeError(`half a batch is there: ${counters.join(', ')}`)
  const last = counters[0] === undefined ? -1 : Number(counters[0])
  if (last < acknowledged)
    throw new LifeError(`batch ${acknowledged} was acknowledged, but the last one there is ${last}`)
  let expected = Math.max(0, last + 1 - recent)
  for await (const [key, value] of engine.entries(batchKey(expected), 'batch0')) {
    if (key !== batchKey(expected)) throw new LifeError(`batch ${digits(expected)} is missing`)
    if (value !== batchValue(expected)) throw new LifeError(`batch ${digits(expected)} has another value`)
    expected++
  }
  if (expected !== last + 1) throw new LifeError(`the batches end at ${expected - 1}, the counters say ${last}`)
  const scratch: string[] = []
  for await (const [key] of engine.entries(SCRATCH.start, SCRATCH.end)) scratch.push(key)
  const wanted = scratchKeysAfter(last)
  if (scratch.join() !== wanted.join())
    throw new LifeError(
      `after batch ${last} there are ${without(scratch, wanted)}, and there are not ${without(wanted, scratch)}`,
    )
  return last + 1
}

function without(keys: readonly string[], others: readonly string[]): string {
  return `[${keys.filter((key) => !others.includes(key)).join()}]`
}
