/**
 * The command line of the campaigns: who runs for how long.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CAMPAIGNS } from '../../campaign/list.ts'
import { type Planned, readSettings } from '../../campaign/settings.ts'

/** Of all campaigns in CI, on two cores that do nothing else. */
const CI_SECONDS = 12 * 60

function planOf(...argv: string[]): readonly Planned[] {
  return readSettings(argv)?.plan ?? []
}

function sum(plan: readonly Planned[]): number {
  return plan.reduce((total, { seconds }) => total + seconds, 0)
}

function namesOf(plan: readonly Planned[]): string[] {
  return plan.map(({ campaign }) => campaign.name)
}

/** What it lists are gaps in the tests, and no failure of what is tested. */
const OF_THE_TESTS = 't16-coverage'

test('all campaigns together end in time in CI', () => {
  const plan = planOf('ci')
  assert.ok(sum(plan) <= CI_SECONDS, `${sum(plan)} seconds`)
  const others = CAMPAIGNS.filter(({ name }) => !namesOf(plan).includes(name) && !name.startsWith('peers-'))
  assert.deepEqual(
    others.map(({ name }) => name),
    [OF_THE_TESTS],
  )
})

test('a long run is split among all campaigns but those of other engines', () => {
  const plan = planOf('all', '--hours', '5')
  assert.ok(Math.abs(sum(plan) - 5 * 3600) < 1)
  assert.deepEqual(
    namesOf(plan).filter((name) => name !== OF_THE_TESTS),
    namesOf(planOf('ci')),
  )
  assert.ok(plan.every(({ seconds }) => seconds >= 60))
})

test('a campaign that is named has its time, or a part of what is said', () => {
  assert.deepEqual(
    planOf('t01', '--seconds', '7').map(({ seconds }) => seconds),
    [7],
  )
  assert.equal(planOf('peers-kill')[0].seconds, 60)
  assert.throws(() => planOf('t99'), /no campaign t99/)
  assert.throws(() => planOf('t01', '--seconds=-1'), /positive/)
})

test('a campaign answers to its number as it is written elsewhere', () => {
  for (const name of ['t01-crash', 't01', 't1', 'T1']) assert.deepEqual(namesOf(planOf(name)), ['t01-crash'], name)
  assert.deepEqual(namesOf(planOf('T10')), ['t10-threads'])
})

test('a run is resumed with its seed, which is what makes it the same', () => {
  assert.throws(() => readSettings(['all', '--resume']), /--seed/)
  assert.equal(readSettings(['all', '--resume', '--seed', '5'])?.isResumed, true)
})

test('help plans nothing', () => {
  assert.equal(readSettings(['--list']), undefined)
  assert.equal(readSettings([]), undefined)
})
