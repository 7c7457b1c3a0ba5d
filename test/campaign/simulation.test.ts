/**
 * The simulation: one seed is one run; crashes find what was not synced; threads die and the database goes on.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Crashes, FEW_MODES } from '../../campaign/lives/crashes.ts'
import { type LivedPlan, livedPlan } from '../../campaign/lives/moments.ts'
import { ALPHABET, type Plan, randomPlan, sequenceAt } from '../../campaign/lives/plan.ts'
import { HangError, Scheduler } from '../../campaign/sim/scheduler.ts'
import { runSchedule, scheduleOf } from '../../campaign/t09-schedules.ts'

const WORKERS = ['worker', 'workers']

test('the same seed does the same twice, and another one something else', async () => {
  const hashes = new Set<string>()
  for (const seed of [1, 2, 3, 4]) {
    const [first, second] = [await runSchedule(scheduleOf(seed)), await runSchedule(scheduleOf(seed))]
    assert.equal(first.error, undefined)
    assert.equal(first.hash, second.hash, `seed ${seed}`)
    hashes.add(first.hash)
  }
  assert.equal(hashes.size, 4)
})

test('the same operations in another order of events are another run', async () => {
  const { operations } = scheduleOf(1)
  const hashes = [await runSchedule({ seed: 2, operations }), await runSchedule({ seed: 4, operations })]
  assert.notEqual(hashes[0].hash, hashes[1].hash)
})

test('a life with worker threads that die flushes and compacts all the same, twice alike', async () => {
  let deaths = 0
  for (let seed = 1; seed <= 6; seed++) {
    const plan: Plan = { ...randomPlan(seed, 40, WORKERS), deathOdds: 2 }
    const [first, second] = [await livedPlan(plan), await livedPlan(plan)]
    assert.equal(first.hash, second.hash, `seed ${seed}`)
    assert.ok(first.flushes > 0, `seed ${seed}`)
    deaths += first.deaths
  }
  assert.ok(deaths > 0)
})

/** Crash at every moment; what is found first. */
async function firstFailure(plan: Plan, lived: LivedPlan): Promise<string | undefined> {
  const crashes = new Crashes(plan, lived)
  try {
    for (const moment of lived.moments) await crashes.check(moment, FEW_MODES)
  } catch (error) {
    return (error as { readonly kind: string }).kind
  }
  assert.ok(crashes.tally.images > 0 && crashes.tally.doubleImages > 0)
  return undefined
}

test('a short life survives a crash before each of its calls', async () => {
  const plan: Plan = { seed: 7, options: 'workers', steps: [ALPHABET[1], ALPHABET[2], ALPHABET[4], ALPHABET[6]] }
  assert.equal(await firstFailure(plan, await livedPlan(plan)), undefined)
})

test('a promise that was not kept is found: more durable than it is, or fewer begun', async () => {
  const plan: Plan = { seed: 7, options: 'inline', steps: [ALPHABET[0], ALPHABET[0], ALPHABET[1]] }
  const lived = await livedPlan(plan)
  const changed = (change: Partial<(typeof lived.moments)[number]>): LivedPlan => ({
    ...lived,
    moments: lived.moments.map((moment) => (moment.begun === 2 ? { ...moment, ...change } : moment)),
  })
  assert.equal(await firstFailure(plan, changed({ durable: 2, kept: 2 })), 'an acknowledged write is lost')
  assert.equal(await firstFailure(plan, changed({ begun: 0 })), 'a write that never was')
})

test('all sequences of a length are there, each once', () => {
  const count = ALPHABET.length ** 3
  const all = Array.from({ length: count }, (_, number) => JSON.stringify(sequenceAt(3, number)))
  assert.equal(new Set(all).size, count)
})

test('a promise that nothing can keep any more is told of', async () => {
  await assert.rejects(new Scheduler(1).until(new Promise(() => {})), HangError)
})
