/**
 * Timing of short loops: several runs of each candidate in turn, since one run says more about the machine than about the
 * code. The minimum is what the code can do; compare only what ran in one process.
 */
import { spreadOf } from '../statistics.ts'

const RUNS = 9

/** Something to be timed: carries out `count` operations and returns a number that depends on all of them. */
export interface Candidate {
  readonly name: string
  readonly count: number
  readonly run: (count: number) => number
}

/** Time the candidates in turn and print nanoseconds an operation, minimum and median. */
export function compare(title: string, candidates: readonly Candidate[]): void {
  const times = candidates.map((): number[] => [])
  let sink = 0
  for (let run = -2; run < RUNS; run++) {
    candidates.forEach((candidate, i) => {
      const start = performance.now()
      sink += candidate.run(candidate.count)
      const ns = ((performance.now() - start) * 1e6) / candidate.count
      // The first runs are for the compiler.
      if (run >= 0) times[i].push(ns)
    })
  }
  if (Number.isNaN(sink)) throw new Error('a candidate did not return a number')
  console.log(title)
  candidates.forEach(({ name }, i) => {
    const { min, median } = spreadOf(times[i])
    console.log(`  ${name.padEnd(36)} ${min.toFixed(1).padStart(9)} ns  (median ${median.toFixed(1)})`)
  })
}
