/**
 * Measurement: one workload, one call, one engine, once, in this process: fill, settle, run against the clock, check every
 * byte. What is not the call itself is not timed.
 *
 * Threads  runs in a child process (child.ts), so that no measurement inherits another one's heap or compiled code
 */
import { cpSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { perform, writeAtOnce, writeInBatches } from './calls.ts'
import { Dataset, entryChecksum } from './dataset.ts'
import { LevelSubject } from './level-subject.ts'
import { startProfile } from './profile.ts'
import type { Subject, SubjectOptions } from './subject.ts'
import { VarveSubject } from './varve-subject.ts'
import { type Call, type EngineName, type Workload, workloadNamed } from './workloads.ts'

/** What a child is told to do, as JSON. */
export interface MeasurementSpec {
  /** `crash` makes the files that `measure` then recovers. */
  readonly step: 'measure' | 'crash'
  readonly engine: EngineName
  readonly workload: string
  readonly call: Call
  readonly keyCount: number
  readonly operationCount: number
  readonly seed: number
  readonly writeBufferBytes: number
  readonly cacheBytes: number | undefined
  /** Empty, for the child's own use. */
  readonly directory: string
  /** Where to write a CPU profile of the timed part, if at all. */
  readonly profilePath: string | undefined
}

/** What a child answers, as JSON. */
export interface Measurement {
  readonly operationCount: number
  readonly elapsedMs: number
  /** Processor time of all threads meanwhile. */
  readonly cpuMs: number
  /** Most memory that the process ever had, the benchmark's own included. */
  readonly maxRssBytes: number
}

const WARM_UP_COUNT = 20_000
/** The directory counts as settled when it has looked the same for this long. */
const SETTLED_MS = 1000
const SETTLE_STEP_MS = 50

/** Measure, after a warm-up on a small database of its own. Opening has none: a program does it cold, too. */
export async function measure(spec: MeasurementSpec): Promise<Measurement> {
  const workload = workloadNamed(spec.workload)
  if (workload.kind === 'open') return measureOpen(spec, workload)
  const small = {
    ...spec,
    keyCount: Math.min(spec.keyCount, WARM_UP_COUNT),
    operationCount: Math.min(spec.operationCount, WARM_UP_COUNT),
    directory: join(spec.directory, 'warm-up'),
    profilePath: undefined,
  }
  await measureCall(small, workload)
  return measureCall({ ...spec, directory: join(spec.directory, 'data') }, workload)
}

/**
 * Fill a database by single puts and copy its files while it is open, as a crash of the process would leave them. All
 * must be in the log: the write buffer holds it.
 */
export async function crash(spec: MeasurementSpec): Promise<void> {
  const workload = workloadNamed(spec.workload)
  const dataset = new Dataset(workload, spec.keyCount, spec.operationCount, spec.seed)
  const live = join(spec.directory, 'live')
  const subject = await openSubject(spec.engine, live, subjectOptions(spec, workload))
  await writeAtOnce(subject, dataset.before, 1000)
  await settle(live)
  const tables = readdirSync(live).filter((name) => name.endsWith('.ldb'))
  if (tables.length > 0) throw new Error(`the log was to hold everything, but there are tables: ${tables.join(', ')}`)
  cpSync(live, join(spec.directory, 'data'), { recursive: true, filter: (path) => basename(path) !== 'LOCK' })
}

async function measureCall(spec: MeasurementSpec, workload: Workload): Promise<Measurement> {
  const dataset = new Dataset(workload, spec.keyCount, spec.operationCount, spec.seed)
  const subject = await openSubject(spec.engine, spec.directory, subjectOptions(spec, workload))
  await writeInBatches(subject, dataset.before)
  if (workload.start === 'filled') await settle(spec.directory)
  const clock = new Stopwatch(spec.profilePath)
  const tally = await perform(spec.call, subject, dataset)
  const measurement = clock.stop(spec.operationCount)
  tally.check(dataset.expected)
  await checkContents(subject, dataset)
  await subject.close()
  return measurement
}

async function measureOpen(spec: MeasurementSpec, workload: Workload): Promise<Measurement> {
  const dataset = new Dataset(workload, spec.keyCount, spec.operationCount, spec.seed)
  const clock = new Stopwatch(spec.profilePath)
  const subject = await openSubject(spec.engine, join(spec.directory, 'data'), subjectOptions(spec, workload))
  const measurement = clock.stop(spec.operationCount)
  await checkContents(subject, dataset)
  await subject.close()
  return measurement
}

class Stopwatch {
  readonly #finishProfile: () => void
  readonly #cpu: NodeJS.CpuUsage
  readonly #startMs: number

  /** Starts. */
  constructor(profilePath: string | undefined) {
    globalThis.gc?.()
    this.#finishProfile = profilePath === undefined ? () => {} : startProfile(profilePath)
    this.#cpu = process.cpuUsage()
    this.#startMs = performance.now()
  }

  stop(operationCount: number): Measurement {
    const elapsedMs = performance.now() - this.#startMs
    const { user, system } = process.cpuUsage(this.#cpu)
    this.#finishProfile()
    const maxRssBytes = process.resourceUsage().maxRSS * 1024
    return { operationCount, elapsedMs, cpuMs: (user + system) / 1000, maxRssBytes }
  }
}

function openSubject(engine: EngineName, directory: string, options: SubjectOptions): Promise<Subject> {
  return engine === 'varve' ? VarveSubject.open(directory, options) : LevelSubject.open(directory, options)
}

function subjectOptions({ writeBufferBytes, cacheBytes }: MeasurementSpec, { isDurable }: Workload): SubjectOptions {
  return { writeBufferBytes, cacheBytes, isDurable }
}

/** Wait until background work has left the directory alone for a while. */
export async function settle(directory: string): Promise<void> {
  let seen = ''
  for (let quietMs = 0; quietMs < SETTLED_MS; quietMs += SETTLE_STEP_MS) {
    const now = listing(directory)
    if (now !== seen) quietMs = 0
    seen = now
    await delay(SETTLE_STEP_MS)
  }
}

function listing(directory: string): string {
  return readdirSync(directory)
    .map((name) => `${name} ${statSync(join(directory, name), { throwIfNoEntry: false })?.size}`)
    .join()
}

/** @throws Error unless the database holds what was written, all of it and nothing else */
async function checkContents(subject: Subject, dataset: Dataset): Promise<void> {
  let count = 0
  let sum = 0
  for await (const [key, value] of subject.scan(false)) {
    count++
    sum = entryChecksum(sum, key, value)
  }
  if (count !== dataset.entryCount) throw new Error(`${count} entries in the end instead of ${dataset.entryCount}`)
  if (sum !== dataset.contentsChecksum) throw new Error('the entries in the end are not those that were written')
}
