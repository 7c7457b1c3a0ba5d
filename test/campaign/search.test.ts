/**
 * Searches: their steps are numbered through, taken on threads, and counted as they go; equal crash images have one fingerprint.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LaneContext } from '../../campaign/lane/tally.ts'
import { fingerprint } from '../../campaign/lives/fingerprint.ts'
import { ALPHABET, type Plan } from '../../campaign/lives/plan.ts'
import { ProgressLine } from '../../campaign/progress-line.ts'
import { runCampaign } from '../../campaign/run-campaign.ts'
import { CRASHES, firstFailure } from '../../campaign/t01-crash.ts'
import { SEQUENCES, SHORT_LIVES } from '../../campaign/t02-sequences.ts'
import { FAULT_SWEEPS } from '../../campaign/t03-faults.ts'
import { MemoryFile } from '../../src/env/memory-file.ts'
import { MemoryTree } from '../../src/env/memory-tree.ts'

/** Has had enough when something has been counted. */
class Impatient extends ProgressLine {
  readonly enough: AbortController = new AbortController()

  override update(counts: Readonly<Record<string, number>>): void {
    if (counts['crash images'] > 0) this.enough.abort()
  }
}

test('a search counts while its threads are in the middle of a step, and ends when it is told to', async () => {
  const line = new Impatient()
  const { counts, findings, ...result } = await runCampaign(SEQUENCES, {
    seed: 3,
    seconds: 3600,
    signal: line.enough.signal,
    line,
  })
  assert.deepEqual(findings, [])
  assert.ok(counts.lives > 0 && counts['crash images'] > 0)
  assert.deepEqual([result.plannedSeconds, result.isCut], [3600, true])
})

/** Counts, and has had enough once it was asked so often. */
function counting(patience: number): { counts: Record<string, number>; context: LaneContext } {
  const counts: Record<string, number> = {}
  let asked = 0
  const context: LaneContext = {
    count: (what, by = 1) => {
      counts[what] = (counts[what] ?? 0) + by
    },
    isOver: () => ++asked > patience,
    finding: () => assert.fail('nothing is wrong with this life'),
  }
  return { counts, context }
}

test('calls count as crashed before when all of a life were; a life that the clock cut off is said to be one', async () => {
  const plan = SHORT_LIVES.reproduction(1, 0) as Plan
  const whole = counting(Number.POSITIVE_INFINITY)
  assert.equal(await firstFailure(plan, [0], whole.context), undefined)
  const calls = whole.counts['file-system calls, each of them crashed before']
  assert.ok(calls > 10)
  assert.equal(whole.counts['lives cut off by the clock'], undefined)
  const cut = counting(3)
  assert.equal(await firstFailure(plan, [0], cut.context), undefined)
  assert.deepEqual([cut.counts.lives, cut.counts['lives cut off by the clock']], [1, 1])
  assert.equal(cut.counts['file-system calls, each of them crashed before'], undefined)
})

test('all short lives are there, the shortest first, each once', () => {
  const plans = Array.from({ length: 2 * (9 + 81) }, (_, step) => SHORT_LIVES.reproduction(1, step) as Plan)
  assert.equal(ALPHABET.length, 9)
  assert.deepEqual([...new Set(plans.map(({ steps }) => steps.length))], [1, 2])
  assert.equal(new Set(plans.map(({ options, steps }) => JSON.stringify([options, steps]))).size, plans.length)
})

test('a life makes every call fail with every error, once and from then on, before the next life begins', () => {
  const faults = Array.from({ length: 17 }, (_, step) => FAULT_SWEEPS.reproduction(1, step) as Record<string, unknown>)
  const kinds = faults.slice(0, 16).map(({ code, isSticky }) => `${code} ${isSticky}`)
  assert.equal(new Set(kinds).size, 16)
  assert.equal(new Set(faults.slice(0, 16).map(({ plan }) => JSON.stringify(plan))).size, 1)
  assert.notDeepEqual(faults[16].plan, faults[0].plan)
})

test('the same seed and step are the same life', () => {
  assert.deepEqual(CRASHES.reproduction(5, 2), CRASHES.reproduction(5, 2))
  assert.notDeepEqual(CRASHES.reproduction(5, 2), CRASHES.reproduction(5, 3))
})

function treeOf(names: Readonly<Record<string, string>>): MemoryTree {
  const nodes = Object.entries(names).map(([path, text]) => [path, MemoryFile.durable(Buffer.from(text))] as const)
  return new MemoryTree(new Map(nodes), new Map(nodes))
}

test('trees have the same fingerprint if they hold the same, and may lose the same', () => {
  const names = { '/db/a': 'one', '/db/b': 'two' }
  const print = fingerprint(treeOf(names))
  assert.equal(fingerprint(treeOf({ '/db/b': 'two', '/db/a': 'one' })), print)
  assert.equal(fingerprint(treeOf(names).clone()), print)
  assert.notEqual(fingerprint(treeOf({ ...names, '/db/a': 'onf' })), print)
  assert.notEqual(fingerprint(treeOf({ '/db/a': 'one', '/db/c': 'two' })), print)

  const pending = treeOf(names)
  pending.change({ type: 'remove', path: '/db/b' })
  assert.notEqual(fingerprint(pending), fingerprint(treeOf({ '/db/a': 'one' })))

  const appended = treeOf(names)
  ;(appended.get('/db/a') as MemoryFile).append(Buffer.from('!'), 0, 1)
  const unsynced = fingerprint(appended)
  ;(appended.get('/db/a') as MemoryFile).markSynced(4)
  assert.notEqual(unsynced, fingerprint(appended))
  assert.equal(fingerprint(appended), fingerprint(treeOf({ ...names, '/db/a': 'one!' })))
})
