/**
 * The database against a model (history.ts): long runs of random operations, compared after every one.
 *
 * VARVE_SEED and VARVE_PATH, which a failure prints, repeat one run of the test that failed; VARVE_RUNS sets the number of runs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { operations } from './operations.ts'
import { ModelRun } from './run.ts'
import { MemoryWorld, NodeWorld, type World } from './world.ts'

const seed = Number(process.env.VARVE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const path = process.env.VARVE_PATH

async function check(makeWorld: () => World, walMarkers: boolean, numRuns: number): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  const property = fc.asyncProperty(operations, async (list) => {
    const run = new ModelRun(makeWorld(), walMarkers)
    await run.run(list)
    for (const [name, count] of Object.entries(run.counts)) sums[name] = (sums[name] ?? 0) + count
  })
  const runs = Number(process.env.VARVE_RUNS ?? numRuns)
  await fc.assert(property, { seed, numRuns: runs, includeErrorInReport: true, ...(path !== undefined && { path }) })
  return sums
}

test(`a database in memory answers as the model does, through crashes of every kind (VARVE_SEED=${seed})`, async (t) => {
  const sums = await check(() => new MemoryWorld(), true, 200)
  t.diagnostic(`seed ${seed}: ${JSON.stringify(sums)}`)
  if (path === undefined) for (const [name, count] of Object.entries(sums)) assert.ok(count > 0, `${name} happened`)
})

// Without markers, a record that is whole behind one that is not makes a log damaged (docs/durability.md): power that is
// lost here leaves a prefix of each file.
test(`a log without markers keeps the same promises where files lose only their ends (VARVE_SEED=${seed})`, async () => {
  await check(() => new MemoryWorld([0, 1, 2]), false, 60)
})

test(`a database on the real file system, with a worker thread, answers as the model does (VARVE_SEED=${seed})`, async (t) => {
  const sums = await check(() => new NodeWorld(), true, 15)
  t.diagnostic(`seed ${seed}: ${JSON.stringify(sums)}`)
})
