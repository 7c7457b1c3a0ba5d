/**
 * T10, shared memory: the proofs about threads, each in a process of its own: all interleavings of a writer and a reader up to a
 * bound, mutants of the code that must be caught, and threads that really run, whose every operation must be linearizable. What
 * their diagnostics count is counted here.
 *
 * The proofs that go through all there is are run once; those that draw from a seed again and again, with more operations than in
 * the tests. A program that is under way when the time is over is ended, and not counted.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Campaign, CampaignContext } from './campaign.ts'
import { repository } from './places.ts'

/** Memory of MemTables, databases that other threads read, MemTables alone. */
const FOLDERS: readonly string[] = ['threads', 'threads-db', 'memtable']
const NAME = /(threads|interleavings|mutants|linear|handles)[\w-]*\.test\.js$/
/** What they do depends on a seed. */
const DRAWN = /(linear|threads)[\w-]*\.test\.js$/
/** Of the linearizability test, where there is time for more than it does among the tests. */
const OPERATIONS = 5_000_000
const LOOK_MS = 200

interface Outcome {
  readonly status: number | null
  readonly output: string
  readonly isCut: boolean
}

export const THREADS: Campaign = {
  name: 't10-threads',
  title: 'shared memory: all interleavings up to a bound, mutants, and real threads',
  ciSeconds: 42,
  longShare: 9,
  // All interleavings of the same few steps.
  sameThings: ['schedules'],

  async run(context) {
    const files = FOLDERS.flatMap(programs)
    for (const [done, file] of files.entries()) {
      if (context.isOver()) return
      await runProgram(context, file, context.seed, undefined)
      if (!context.isOver()) context.progress(done + 1)
    }
    context.count('whole rounds of all programs')
    const drawn = files.filter((file) => DRAWN.test(file))
    for (let seed = context.seed + 1; ; seed++) {
      for (const file of drawn) {
        if (context.isOver()) return
        await runProgram(context, file, seed, OPERATIONS)
      }
    }
  },

  async replay(reproduction) {
    const { file, seed } = reproduction as { readonly file: string; readonly seed: number }
    const { status, output } = await execute(repository('.build', 'test', file), seed, undefined, () => false)
    if (status !== 0) throw new Error(output)
  },
}

/** Those that take all interleavings come last: they take longest. */
function programs(folder: string): string[] {
  const directory = repository('.build', 'test', folder)
  if (!existsSync(directory)) return []
  const names = readdirSync(directory).filter((name) => NAME.test(name))
  return names.sort((a, b) => Number(DRAWN.test(b)) - Number(DRAWN.test(a))).map((name) => join(folder, name))
}

async function runProgram(
  context: CampaignContext,
  file: string,
  seed: number,
  operations: number | undefined,
): Promise<void> {
  const path = repository('.build', 'test', file)
  const { status, output, isCut } = await execute(path, seed, operations, () => context.isOver())
  if (isCut) {
    context.count('programs ended by the clock')
    return
  }
  context.count('programs')
  for (const [what, count] of diagnostics(output)) context.count(what, count)
  if (status === 0) return
  context.finding('a proof about threads fails', `${file}: ${output.slice(-600)}`, { file, seed })
}

/** What the output of a test counts: `ℹ 1234 schedules`, whatever the reporter puts in front; and its tests. */
export function diagnostics(output: string): [what: string, count: number][] {
  const counted: [string, number][] = []
  for (const [, count, what] of output.matchAll(/^\W*([\d,]+) ([a-z][a-z ]*?)(?: in [\d,]+ tables, seed \d+)?$/gm)) {
    counted.push([what === 'operations' ? 'operations found linearizable' : what, Number(count.replaceAll(',', ''))])
  }
  const tests = /^\W+pass (\d+)$/m.exec(output)
  counted.push(['tests passed', Number(tests?.[1] ?? 0)])
  return counted
}

function execute(path: string, seed: number, operations: number | undefined, isOver: () => boolean): Promise<Outcome> {
  const more = operations === undefined ? {} : { VARVE_THREADS_OPERATIONS: String(operations) }
  const child = spawn(process.execPath, ['--enable-source-maps', '--test-reporter=spec', path], {
    env: { ...process.env, VARVE_SEED: String(seed), ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let isCut = false
  const look = setInterval(() => {
    if (!isOver()) return
    isCut = true
    child.kill('SIGKILL')
  }, LOOK_MS)
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => chunks.push(text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => {
      clearInterval(look)
      resolve({ status, output: chunks.join(''), isCut })
    })
  })
}
