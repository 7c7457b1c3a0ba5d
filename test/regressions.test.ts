/**
 * What campaigns have found, replayed: a file of test/regressions/ for each defect, also when it is gone.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { campaignNamed } from '../campaign/list.ts'
import { REGRESSIONS } from '../campaign/places.ts'
import { readRegressions } from '../campaign/regressions.ts'

const regressions = readRegressions(REGRESSIONS)

test('every regression belongs to a campaign that can replay it', () => {
  // Those that are there by now: their folder has been found, and read.
  assert.ok([...regressions].length >= 2)
  for (const [name, { campaign }] of regressions) {
    assert.notEqual(campaignNamed(campaign).replay, undefined, name)
  }
})

for (const [name, { campaign, kind, reproduction }] of regressions) {
  test(`${name}: ${kind} does not happen again`, () => campaignNamed(campaign).replay?.(reproduction))
}
