/**
 * Mutants of the publication protocol, to prove the explorer: each of them has a schedule with a wrong answer.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exploreHistory } from './explore.ts'
import { EQUIVALENT, MUTANTS, type Mutant } from './mutants.ts'
import { copyProgram, loadProgram } from './program.ts'
import { smallHistories } from './small-histories.ts'
import { MEMORY_MODELS } from './store-log.ts'

/** What betrays a mutant; undefined if nothing does. */
async function faultOf({ mutations, representation, history }: Mutant): Promise<string | undefined> {
  const program = await loadProgram(copyProgram(mutations, true))
  const histories = smallHistories(representation).filter(({ name }) => name === history)
  assert.ok(histories.length > 0, `there is a history of ${history}`)
  for (const model of MEMORY_MODELS.toReversed()) {
    for (const one of histories) {
      const { fault } = exploreHistory(program, one, model)
      if (fault !== undefined) return fault
    }
  }
  return undefined
}

for (const mutant of MUTANTS) {
  test(`a reader notices when ${mutant.what} (${mutant.mutations[0].module})`, async (t) => {
    const fault = await faultOf(mutant)
    assert.ok(fault !== undefined, 'every answer was right')
    t.diagnostic(fault)
  })
}
for (const mutant of EQUIVALENT) {
  test(`no reader notices when ${mutant.what} (${mutant.mutations[0].module})`, async () => {
    assert.equal(await faultOf(mutant), undefined)
  })
}
