/**
 * T4, durability mutants: the engine with one deliberate mistake, for each of a list of them; crashes, faults, orders of events or
 * damages must find it (mutants/). In the engine as it is they must find nothing.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Campaign, CampaignContext } from './campaign.ts'
import { MUTANTS, type Mutant, mutate } from './mutants/mutants.ts'
import { repository } from './places.ts'

/** Of processor time: a mutant that lives that long has survived. */
const HUNT_SECONDS = 60
/** The engine as it is, longer than any mutant was seen to live. */
const CONTROL_SECONDS = 20
const LOOK_MS = 200
/** Hunts at the same time, at most: each has a copy of the program. */
const LANES_MAX = 4

export const MISTAKES: Campaign = {
  name: 't04-mutants',
  title: 'deliberate mistakes about durability, each of which must be found',
  ciSeconds: 75,
  longShare: 1.5,
  sameThings: 'all',

  async run(context) {
    const left: (Mutant | undefined)[] = [undefined, ...MUTANTS]
    const { length } = left
    const lane = async (): Promise<void> => {
      const program = new Program()
      try {
        while (left.length > 0 && !context.isOver()) {
          await hunt(context, program, left.shift())
          context.progress(length - left.length, length)
        }
      } finally {
        program.dispose()
      }
    }
    const lanes = Math.min(LANES_MAX, availableParallelism())
    await Promise.all(Array.from({ length: lanes }, lane))
  },
}

/** @param mutant undefined: the engine as it is */
async function hunt(context: CampaignContext, program: Program, mutant: Mutant | undefined): Promise<void> {
  const outcome = await program.run(mutant, context.seed, () => context.isOver())
  if (outcome === 'cut') {
    context.count('hunts ended by the clock')
    return
  }
  const { found } = outcome
  if (mutant === undefined) {
    context.count('hunts in the engine as it is')
    if (found !== undefined) context.finding('something is found in the engine as it is', found, undefined)
    return
  }
  context.count('mutants')
  if (found !== undefined) context.count('mutants found')
  else context.finding(`a mutant survives: ${mutant.name}`, mutant.file, mutant)
}

/** What a hunt found, or undefined for nothing; or that it was ended before it knew. */
type Outcome = { readonly found: string | undefined } | 'cut'

/** A copy of the compiled program, with at most one file changed at a time. */
class Program {
  readonly #root: string = mkdtempSync(join(tmpdir(), 'varve-mutants-'))

  constructor() {
    for (const folder of ['src', 'test', 'campaign', 'bench', 'tools']) {
      cpSync(repository('.build', folder), join(this.#root, '.build', folder), { recursive: true })
    }
    for (const name of ['node_modules', 'package.json', 'package-lock.json']) {
      symlinkSync(repository(name), join(this.#root, name))
    }
  }

  async run(mutant: Mutant | undefined, seed: number, isOver: () => boolean): Promise<Outcome> {
    const hunting = join(this.#root, '.build', 'campaign', 'mutants', 'hunt.js')
    if (mutant === undefined) return execute([hunting, String(CONTROL_SECONDS), String(seed)], isOver)
    const path = join(this.#root, '.build', 'src', `${mutant.file}.js`)
    const original = readFileSync(path, 'utf8')
    writeFileSync(path, mutate(original, mutant))
    try {
      return await execute([hunting, String(HUNT_SECONDS), String(seed), mutant.first ?? 'crashes'], isOver)
    } finally {
      writeFileSync(path, original)
    }
  }

  dispose(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}

function execute(args: readonly string[], isOver: () => boolean): Promise<Outcome> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => chunks.push(text))
  const look = setInterval(() => {
    if (isOver()) child.kill('SIGKILL')
  }, LOOK_MS)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => {
      clearInterval(look)
      const said = chunks.join('')
      if (signal === 'SIGKILL' && isOver()) resolve('cut')
      else if (status === 0) resolve({ found: undefined })
      // Only the hunt's own verdict counts: a program that does not even run has found nothing.
      else if (status === 1 && !said.includes('SyntaxError')) resolve({ found: said })
      else reject(new Error(`the hunt failed: ${said}`))
    })
  })
}
