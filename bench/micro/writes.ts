/**
 * Single writes, by the ways of making them, beside those of another build and beside the bare write(2). Random 16-byte keys and
 * 100-byte values that lie in larger buffers, into an empty database a round. Each build has a process of its own, and the processes
 * take turns: who runs first in a process has another compiler's state.
 *
 *   node .build/bench/micro/writes.js [OTHER_BUILD]
 */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Prng } from '../../src/base/prng.ts'
import type { Bytes } from '../../src/base/types.ts'
import { writeAtOnce, writeInBatches } from '../calls.ts'
import type { Operations } from '../dataset.ts'
import { spreadOf } from '../statistics.ts'
import { VarveSubject } from '../varve-subject.ts'

const COUNT = 30_000
const KEY_BYTES = 16
const VALUE_BYTES = 100
/** What LevelDB's framing adds to the bytes of a put. */
const RECORD_BYTES = 7 + 12 + 3 + KEY_BYTES + VALUE_BYTES
const WARM_ROUNDS = 1
const ROUNDS = 4
const TURNS = 2
const THIS_BUILD = fileURLToPath(new URL('../..', import.meta.url))

type Way = (subject: VarveSubject, operations: Operations) => Promise<void>

const WAYS: Readonly<Record<string, Way>> = {
  async putSync(subject, { keys, values }) {
    for (let i = 0; i < keys.length; i++) subject.putSync(keys[i], values[i])
  },
  async 'put, awaited'(subject, { keys, values }) {
    for (let i = 0; i < keys.length; i++) await subject.put(keys[i], values[i])
  },
  'put, 10 in flight': (subject, operations) => writeAtOnce(subject, operations, 10),
  'put, 100 in flight': (subject, operations) => writeAtOnce(subject, operations, 100),
  'put, 1,000 in flight': (subject, operations) => writeAtOnce(subject, operations, 1000),
  'batches of 1,000': (subject, operations) => writeInBatches(subject, operations),
}

/** Microseconds a write, of every round of every way. */
type Figures = Readonly<Record<string, number[]>>

function operationsOf(seed: number): Operations {
  const prng = new Prng(seed)
  const digits = Uint8Array.from({ length: COUNT * KEY_BYTES }, () => 0x30 + prng.below(10))
  const random = Uint8Array.from({ length: COUNT * VALUE_BYTES }, () => prng.next32())
  const parts = (bytes: Bytes, length: number): Bytes[] =>
    Array.from({ length: COUNT }, (_, i) => bytes.subarray(i * length, (i + 1) * length))
  return { keys: parts(digits, KEY_BYTES), values: parts(random, VALUE_BYTES) }
}

async function timeWay(way: Way, operations: Operations, build: string): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-writes-'))
  try {
    const options = { writeBufferBytes: 64 * 1024 * 1024, cacheBytes: undefined, isDurable: false }
    const subject = await VarveSubject.open(directory, options, build)
    const startMs = performance.now()
    await way(subject, operations)
    const us = ((performance.now() - startMs) * 1000) / COUNT
    await subject.close()
    return us
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function timeBare(): number {
  const directory = mkdtempSync(join(tmpdir(), 'varve-writes-'))
  const file = openSync(join(directory, 'log'), 'w')
  const record = new Uint8Array(RECORD_BYTES)
  const startMs = performance.now()
  for (let i = 0; i < COUNT; i++) writeSync(file, record, 0, RECORD_BYTES)
  const us = ((performance.now() - startMs) * 1000) / COUNT
  closeSync(file)
  rmSync(directory, { recursive: true, force: true })
  return us
}

async function measure(build: string, only: string | undefined): Promise<Figures> {
  const figures: Record<string, number[]> = { 'write(2) alone': [] }
  for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
    const operations = operationsOf(round + WARM_ROUNDS)
    for (const [name, way] of Object.entries(WAYS)) {
      if (only !== undefined && only !== name) continue
      const us = await timeWay(way, operations, build)
      figures[name] ??= []
      if (round >= 0) figures[name].push(us)
    }
    const us = timeBare()
    if (round >= 0) figures['write(2) alone'].push(us)
  }
  return figures
}

/** Let the builds take turns, each in a new process a turn. */
function compareBuilds(builds: readonly string[]): void {
  const figures = builds.map((): Record<string, number[]> => ({}))
  for (let turn = 0; turn < TURNS; turn++) {
    builds.forEach((build, i) => {
      const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--child', build])
      for (const [name, times] of Object.entries(JSON.parse(String(output)) as Figures)) {
        figures[i][name] = [...(figures[i][name] ?? []), ...times]
      }
    })
  }
  console.log(`microseconds a write, least (median), of ${builds.join(' and ')}`)
  for (const name of Object.keys(figures[0])) {
    const columns = figures.map((of) => {
      const { min, median } = spreadOf(of[name])
      return `${min.toFixed(2).padStart(7)} (${median.toFixed(2)})`
    })
    console.log(`  ${name.padEnd(24)} ${columns.join('  ')}`)
  }
}

const [first, build, only] = process.argv.slice(2)
if (first === '--child') console.log(JSON.stringify(await measure(build, only)))
else compareBuilds(first === undefined ? [THIS_BUILD] : [first, THIS_BUILD])
