/**
 * Every interleaving of a reader with the writer, for each way in which a MemTable's memory changes.
 * Strategy    the compiled production code runs over memory of which every load and store is a step; the writer once, the
 *             reader in all schedules with up to three surprises (store-log.ts), in two memory models
 * Invariants  explore.ts
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exploreHistory } from './explore.ts'
import { copyProgram, loadProgram } from './program.ts'
import { type Representation, smallHistories } from './small-histories.ts'
import { MEMORY_MODELS } from './store-log.ts'

const REPRESENTATIONS: readonly Representation[] = ['radix', 'skiplist', 'vector']
const program = await loadProgram(copyProgram([], true))

for (const representation of REPRESENTATIONS) {
  for (const model of MEMORY_MODELS) {
    test(`a ${representation} table is at a whole batch in every schedule (${model})`, (t) => {
      let schedules = 0
      for (const history of smallHistories(representation)) {
        // Checksums are one more reader of what may not be complete, which is a matter of the weak model.
        if (history.checksums && model === 'sequential') continue
        const outcome = exploreHistory(program, history, model)
        assert.equal(outcome.fault, undefined)
        schedules += outcome.schedules
      }
      t.diagnostic(`${schedules} schedules`)
      assert.ok(
        schedules > (representation === 'vector' ? 1_000 : 10_000),
        `${schedules} schedules: the loads are steps`,
      )
    })
  }
}
