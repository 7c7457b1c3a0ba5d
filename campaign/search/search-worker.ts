/**
 * The thread of a search: takes its steps.
 */
import { takeSteps } from '../lane/lane-worker.ts'
import { CRASHES } from '../t01-crash.ts'
import { SHORT_LIVES } from '../t02-sequences.ts'
import { FAULT_SWEEPS } from '../t03-faults.ts'
import { MODEL_RUNS } from '../t08-models.ts'
import { SEEDED_ORDERS } from '../t09-schedules.ts'
import type { Search, SearchData } from './search.ts'

const SEARCHES: readonly Search[] = [CRASHES, SHORT_LIVES, FAULT_SWEEPS, MODEL_RUNS, SEEDED_ORDERS]

await takeSteps((data) => {
  const { name, seed } = data as SearchData
  const search = SEARCHES.find((one) => one.name === name)
  if (search === undefined) throw new Error(`no search ${name}`)
  return (step, context) => search.step(context, seed, step)
})
