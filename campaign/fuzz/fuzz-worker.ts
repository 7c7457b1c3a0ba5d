/**
 * The thread of the fuzz campaign: a step is a number of executions of one decoder.
 */
import { toHex } from '../../src/base/bytes.ts'
import { takeSteps } from '../lane/lane-worker.ts'
import type { Tally } from '../lane/tally.ts'
import { FuzzFault, fuzz, makeTargets } from './fuzz-run.ts'
import { EXECUTIONS, type FuzzData, schedule, seedOf } from './schedule.ts'

Error.stackTraceLimit = 0
const targets = await makeTargets()

await takeSteps((data) => {
  const { seed } = data as FuzzData
  const turns = schedule(targets)
  return (step: number, tally: Tally) => {
    const target = turns[step % turns.length]
    try {
      const accepted = fuzz(target, seedOf(seed, step), EXECUTIONS)
      tally.count('executions', EXECUTIONS)
      tally.count(`of ${target.name}`, EXECUTIONS)
      tally.count('inputs taken for valid', accepted)
    } catch (error) {
      if (!(error instanceof FuzzFault)) throw error
      const { kind, input, message } = error
      tally.finding(`${target.name}: ${kind}`, message, { target: target.name, input: toHex(input) })
    }
  }
})
