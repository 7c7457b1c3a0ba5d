/**
 * T10, shared memory: the proofs of test/threads/ and test/memtable/ on threads, again and again, each in a process of its own: all
 * interleavings of a writer and a reader up to a bound, mutants of the code that must be caught, and threads that really run,
 * with random rounds. What their diagnostics count is counted here.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Campaign, CampaignContext } from './campaign.ts'
import { repository } from './places.ts'

const FOLDERS: readonly string[] = ['threads', 'memtable']
const NAME = /(threads|interleavings|mutants|rounds|linear\w*)[\w-]*\.test\.js$/

export const THREADS: Campaign = {
  name: 't10-threads',
  title: 'shared memory: all interleavings to a bound, mutants, and real threads',
  ciSeconds: 60,
  longShare: 8,

  async run(context) {
    const files = FOLDERS.flatMap(programs)
    for (let seed = context.seed; !context.isOver(); seed++) {
      for (const file of files) {
        if (context.isOver()) return
        await runProgram(context, file, seed)
      }
    }
  },

  async replay(reproduction) {
    const { file, seed } = reproduction as { readonly file: string; readonly seed: number }
    const { status, output } = await execute(repository('.build', 'test', file), seed)
    if (status !== 0) throw new Error(output)
  },
}

function programs(folder: string): string[] {
  const directory = repository('.build', 'test', folder)
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => NAME.test(name))
    .map((name) => join(folder, name))
}

async function runProgram(context: CampaignContext, file: string, seed: number): Promise<void> {
  const { status, output } = await execute(repository('.build', 'test', file), seed)
  context.count('programs')
  // `ℹ 1234 schedules`, whatever the reporter puts in front.
  for (const [, count, what] of output.matchAll(/^\W+([\d,]+) ([a-z][a-z ]*)$/gm)) {
    context.count(what, Number(count.replaceAll(',', '')))
  }
  const tests = /^\W+pass (\d+)$/m.exec(output)
  context.count('tests passed', Number(tests?.[1] ?? 0))
  if (status === 0) return
  context.finding('a proof about threads fails', `${file}: ${output.slice(-600)}`, { file, seed })
}

function execute(path: string, seed: number): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, ['--enable-source-maps', '--test-reporter=spec', path], {
    env: { ...process.env, VARVE_SEED: String(seed) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => chunks.push(text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output: chunks.join('') }))
  })
}
