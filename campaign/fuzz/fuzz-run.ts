/**
 * One execution of a decoder, and what is wrong with it: an error that is not typed, a result that cannot be, memory or time out
 * of proportion. Time is doubted only if it is as long every time, and memory is looked at in one execution of 64.
 */
import { VarveError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import type { Bytes } from '../../src/base/types.ts'
import { shapeNamed } from '../damage/shapes.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { logTargets } from './log-targets.ts'
import { Mutator } from './mutator.ts'
import { streamTargets } from './stream-targets.ts'
import { tableTargets } from './table-targets.ts'

const REFUSALS: readonly string[] = ['CORRUPTION', 'NOT_SUPPORTED', 'INVALID_ARGUMENT', 'STALLED']
/** Allowed for each byte of input, and for each execution. */
const YIELD_BYTES = 64
const FIXED_BYTES = 1024 * 1024
const SLOW_MS = 250
const METERED = 64

export async function makeTargets(): Promise<FuzzTarget[]> {
  const shapes = await Promise.all(['levels', 'foreign-log', 'closed'].map(shapeNamed))
  return [...logTargets(shapes), ...tableTargets(shapes), ...streamTargets(shapes)]
}

/** What is wrong, and with which input. */
export class FuzzFault extends Error {
  readonly kind: string
  readonly input: Bytes

  constructor(kind: string, details: string, input: Bytes) {
    super(details)
    this.kind = kind
    this.input = input.slice()
  }
}

const mutator = new Mutator()

/**
 * A number of executions, of inputs that come from the seed.
 * @returns how many inputs were taken for valid ones
 * @throws FuzzFault
 */
export function fuzz(target: FuzzTarget, seed: number, executions: number): number {
  const prng = new Prng(seed)
  let accepted = 0
  for (let i = 0; i < executions; i++) {
    if (target.make === undefined) mutator.make(target.seeds, prng)
    else target.make(mutator, prng)
    const input = mutator.view
    // One in sixteen keeps its wrong checksums.
    if (target.repair !== undefined && prng.below(16) > 0) target.repair(input)
    if (executeOnce(target, input, i % METERED === 0)) accepted++
  }
  return accepted
}

/** @throws FuzzFault */
export function executeOnce(target: FuzzTarget, input: Bytes, isMetered: boolean): boolean {
  const before = isMetered ? process.memoryUsage().arrayBuffers : 0
  const startMs = performance.now()
  const isAccepted = attempt(target, input)
  if (performance.now() - startMs > SLOW_MS && isSlow(target, input))
    throw new FuzzFault('slow', `${input.length} bytes`, input)
  if (!isMetered) return isAccepted
  // A collection in between makes it less: then nothing is learnt.
  const taken = process.memoryUsage().arrayBuffers - before
  const allowed = YIELD_BYTES * input.length + FIXED_BYTES + (target.fixedBytes ?? 0)
  if (taken > allowed) throw new FuzzFault('memory', `${taken} bytes for an input of ${input.length}`, input)
  return isAccepted
}

function attempt(target: FuzzTarget, input: Bytes): boolean {
  try {
    return target.decode(input)
  } catch (error) {
    if (error instanceof VarveError && REFUSALS.includes(error.code)) return false
    throw new FuzzFault('wrong error', stackOf(target, input), input)
  }
}

/** Stacks take longer to make than most decoders take: they are made for those that are wanted. */
function stackOf(target: FuzzTarget, input: Bytes): string {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = 20
  try {
    target.decode(input)
    return 'the same input is decoded the second time'
  } catch (error) {
    return (error as Error).stack ?? String(error)
  } finally {
    Error.stackTraceLimit = before
  }
}

/** A thread that had to wait for its processor is not slow. */
function isSlow(target: FuzzTarget, input: Bytes): boolean {
  for (let i = 0; i < 3; i++) {
    const startMs = performance.now()
    attempt(target, input)
    if (performance.now() - startMs < SLOW_MS) return false
  }
  return true
}
