/**
 * Which decoder has which step: each in proportion to its weight, all of them soon.
 */
import type { FuzzTarget } from './fuzz-target.ts'

export interface FuzzData {
  readonly seed: number
}

/** In a step. */
export const EXECUTIONS = 500

/** A round of steps. */
export function schedule(targets: readonly FuzzTarget[]): FuzzTarget[] {
  const most = Math.max(...targets.map(({ weight }) => weight))
  return Array.from({ length: most }, (_, turn) => targets.filter(({ weight }) => weight > turn)).flat()
}

export function seedOf(seed: number, step: number): number {
  return (Math.imul(step, 0x9e3779b1) ^ seed) >>> 0
}
