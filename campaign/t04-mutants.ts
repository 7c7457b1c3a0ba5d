/**
 * T4, durability mutants: the engine with one deliberate mistake, for each of a list of them; crashes, faults, orders of events or
 * damages must find it (mutants/). In the engine as it is they must find nothing.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { Campaign, CampaignContext } from './campaign.ts'
import { MUTANTS, type Mutant } from './mutants/mutants.ts'
import { Program } from './mutants/program.ts'

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
  const seconds = mutant === undefined ? CONTROL_SECONDS : HUNT_SECONDS
  const args = [program.path('campaign', 'mutants', 'hunt.js'), String(seconds), String(context.seed)]
  const outcome = await program.with(mutant, () =>
    execute([...args, mutant?.first ?? 'crashes'], () => context.isOver()),
  )
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
