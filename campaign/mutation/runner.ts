/**
 * runner: a process that loads tests once, and runs them as often as its job says; it answers on descriptor 3, at once, so that
 * what is known survives its end.
 *
 *   node runner.js JOB.json
 */
import { readFileSync, writeSync } from 'node:fs'
import { messageOf } from '../minimize.ts'
import { beginFile, type CollectedTest, collected } from './collector.ts'
import type { Answer, Hunt, Job } from './messages.ts'
import { NONE, Probe } from './probe.ts'

const ANSWERS = 3
/** The same random choices each time. */
const SEED = 0x5eed

function answer(message: Answer): void {
  writeSync(ANSWERS, `${JSON.stringify(message)}\n`)
}

function hitsOf({ hits }: Probe): number[] {
  const pairs: number[] = []
  for (let i = 0; i < hits.length; i++) if (hits[i] > 0) pairs.push(i, hits[i])
  return pairs
}

async function main(): Promise<void> {
  const job = JSON.parse(readFileSync(process.argv[2], 'utf8')) as Job
  const probe = new Probe(job.places)
  Object.assign(globalThis, { $varve: probe })
  if (job.fromTheStart !== undefined) probe.active = job.fromTheStart
  for (const file of job.files) {
    beginFile(file)
    await import(new URL(`../../test/${file}.js`, import.meta.url).href)
  }
  answer({ kind: 'loaded', hits: hitsOf(probe) })
  if (job.hunts === undefined) await survey(probe)
  else for (const hunt of job.hunts) await look(probe, hunt, job)
}

/** What is done once for many tests counts for the first of them. */
async function survey(probe: Probe): Promise<void> {
  for (const test of collected) {
    probe.hits.fill(0)
    await test.prepare()
    answer({ kind: 'begun', mutant: -1, test: test.id })
    const error = await run(test)
    answer({
      kind: 'surveyed',
      test: test.id,
      name: test.name,
      // Processor time: the machine may do other things, too.
      ms: spent,
      hits: hitsOf(probe),
      ...(error === undefined ? {} : { error: messageOf(error) }),
    })
  }
}

/**
 * Run tests with a mutant until one fails; then once more without it. One that fails so, too, tells nothing: what the mutant or
 * another one left behind may have spoiled it. A process of its own, in which each test was checked beforehand, can tell.
 */
async function look(
  probe: Probe,
  { mutant, tests, limit, isChecked }: Hunt,
  { stepsMax = {}, fromTheStart }: Job,
): Promise<void> {
  const byId = new Map(collected.map((test) => [test.id, test]))
  let isSure = true
  for (const id of tests) {
    const test = byId.get(id)
    // What declares it may be wrong from the start.
    if (test === undefined) continue
    const unprepared = await prepare(probe, test, fromTheStart ?? NONE)
    answer({ kind: 'begun', mutant, test: id })
    if (isChecked && (await run(test)) !== undefined) {
      isSure = false
      continue
    }
    const error = unprepared ?? (await runWith(probe, mutant, test, limit, stepsMax[id] ?? Number.MAX_SAFE_INTEGER))
    isSure &&= probe.wasOn
    if (error === undefined) continue
    const isSpoiled = !isChecked && fromTheStart === undefined && (await run(test)) !== undefined
    if (isSpoiled) answer({ kind: 'spoiled', mutant, test: id })
    else answer({ kind: 'killed', mutant, test: id, error: messageOf(error) })
    if (isSpoiled) process.exit(0)
    return
  }
  answer({ kind: 'alive', mutant, isSure })
}

/** What is done once for many tests: without a mutant, unless it is on from the start. @returns what is wrong */
async function prepare(probe: Probe, test: CollectedTest, active: number): Promise<unknown> {
  probe.active = active
  const error = await errorOf(() => test.prepare())
  probe.active = NONE
  return error
}

/** @returns what is wrong */
async function runWith(
  probe: Probe,
  mutant: number,
  test: CollectedTest,
  limit: number,
  stepsMax: number,
): Promise<unknown> {
  probe.hits.fill(0)
  probe.ranAway = false
  probe.wasOn = false
  probe.limit = limit
  probe.stepsLeft = stepsMax
  probe.active = mutant
  const error = await run(test)
  probe.active = NONE
  probe.limit = Number.MAX_SAFE_INTEGER
  probe.stepsLeft = Number.MAX_SAFE_INTEGER
  return error ?? (probe.ranAway ? 'it goes on and on' : undefined)
}

/** Processor time of the last test, in milliseconds. */
let spent = 0

async function run(test: CollectedTest): Promise<unknown> {
  seedChance()
  const begun = process.cpuUsage()
  const error = await errorOf(() => test.run())
  const { user, system } = process.cpuUsage(begun)
  spent = (user + system) / 1000
  return error
}

async function errorOf(work: () => Promise<void>): Promise<unknown> {
  try {
    await work()
    return undefined
  } catch (error) {
    return error ?? 'nothing was thrown'
  }
}

function seedChance(): void {
  let state = SEED
  Math.random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

// A mistake may leave promises behind that nobody hears, and throw where nobody waits.
process.on('unhandledRejection', () => {})
process.on('uncaughtException', () => {})
process.env.VARVE_SEED = String(SEED)
// The tests cannot even be loaded with some mutants: told by the status, since somebody does hear it, above.
await main().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
process.exit(0)
