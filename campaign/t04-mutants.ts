/**
 * T4, durability mutants: the engine with one deliberate mistake, for each of a list of them; crashes, faults and schedules must find
 * it (mutants/). First, they must find nothing in the engine as it is.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Campaign, CampaignContext } from './campaign.ts'
import { MUTANTS, type Mutant, mutate } from './mutants/mutants.ts'
import { repository } from './places.ts'

/** A mutant that lives that long has survived. */
const HUNT_SECONDS = 60

export const MISTAKES: Campaign = {
  name: 't04-mutants',
  title: 'deliberate mistakes about durability, each of which must be found',
  ciSeconds: 100,
  longShare: 2,

  async run(context) {
    const program = new Program()
    try {
      for (const [done, mutant] of MUTANTS.entries()) {
        if (context.isOver()) return
        await hunt(context, program, mutant)
        context.progress(done + 1, MUTANTS.length)
      }
    } finally {
      program.dispose()
    }
  },
}

async function hunt(context: CampaignContext, program: Program, mutant: Mutant): Promise<void> {
  const found = await program.run(mutant, HUNT_SECONDS, context.seed)
  context.count('mutants')
  if (found === undefined) context.finding('a mutant survives', mutant.name, mutant)
  else context.count('mutants found')
}

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

  /** What is found in the mutant; undefined for nothing. */
  async run(mutant: Mutant, seconds: number, seed: number): Promise<string | undefined> {
    const path = join(this.#root, '.build', 'src', `${mutant.file}.js`)
    const original = readFileSync(path, 'utf8')
    writeFileSync(path, mutate(original, mutant))
    try {
      return await execute(join(this.#root, '.build', 'campaign', 'mutants', 'hunt.js'), seconds, seed)
    } finally {
      writeFileSync(path, original)
    }
  }

  dispose(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}

function execute(path: string, seconds: number, seed: number): Promise<string | undefined> {
  const child = spawn(process.execPath, [path, String(seconds), String(seed)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => chunks.push(text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => {
      const said = chunks.join('')
      if (status === 0) resolve(undefined)
      // Only the hunt's own verdict counts: a program that does not even run has found nothing.
      else if (status === 1 && !said.includes('SyntaxError')) resolve(said)
      else reject(new Error(`the hunt failed: ${said}`))
    })
  })
}
