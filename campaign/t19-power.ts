/**
 * T19, power cuts on real file systems: ext4, xfs and btrfs on a disk that is a program (power/). The kernel's own file systems decide what
 * of varve's calls reaches the disk, and in which order; the disk decides what of that a loss of power leaves, or fails. A real process
 * writes, and another one opens what is left.
 *
 * Then it makes sure that it can find something: engines with one of a few mistakes of T4's must be found out. Most of the others are
 * forgiven by these file systems, which do more than they have to: only the model of T1 has nothing to spare.
 */
import { fileURLToPath } from 'node:url'
import type { Campaign, CampaignContext } from './campaign.ts'
import { MUTANTS } from './mutants/mutants.ts'
import { Program } from './mutants/program.ts'
import { partOf } from './part.ts'
import { availableSystems, runInNamespace } from './power/namespace.ts'

const MAIN = fileURLToPath(new URL('./power/power-main.js', import.meta.url))
/** A mistake that lives that long has survived. */
const HUNT_SECONDS = 60
/** What is left for them of a long run; of a short one, less. */
const MISTAKES_SECONDS = 90
const MISTAKES = [
  'a sync does nothing',
  'a flushed table is not made durable',
  'writes are acknowledged before their sync',
]

export const POWER: Campaign = {
  name: 't19-power',
  title: 'power cuts and failures of a disk under real file systems',
  ciSeconds: 20,
  longShare: 4,
  sameThings: ['mutants', 'mutants found'],

  async run(context) {
    const systems = availableSystems()
    if (typeof systems === 'string') {
      context.count(`skipped: ${systems}`)
      return
    }
    const seen = new Set<string>()
    const part = partOf(context, Math.max(0.6, 1 - MISTAKES_SECONDS / secondsOf(context)))
    await runInNamespace({
      program: MAIN,
      seconds: secondsOf(part),
      seed: context.seed,
      systems,
      isKept: true,
      isOver: () => context.isOver(),
      hear: (told) => {
        if ('what' in told) {
          seen.add(told.what)
          context.count(told.what, told.by)
        } else context.finding(told.kind, told.details, undefined)
      },
    })
    // Not on one that this machine does not mount.
    const cut = systems.find((name) => seen.has(`cuts of ${name}`))
    if (cut !== undefined) await findMistakes(context, cut)
  },
}

function secondsOf({ deadline }: CampaignContext): number {
  return Math.max(1, (deadline - performance.now()) / 1000)
}

async function findMistakes(context: CampaignContext, system: string): Promise<void> {
  const program = new Program()
  try {
    for (const mutant of MUTANTS.filter(({ name }) => MISTAKES.includes(name))) {
      if (context.isOver()) return
      const seconds = Math.min(HUNT_SECONDS, secondsOf(context))
      let isFound = false
      await program.with(mutant, () =>
        runInNamespace({
          program: program.path('campaign', 'power', 'power-main.js'),
          seconds,
          seed: context.seed,
          systems: [system],
          isKept: false,
          isOver: () => isFound || context.isOver(),
          hear: (told) => {
            isFound ||= 'kind' in told
          },
        }),
      )
      if (isFound) context.count('mutants found')
      if (isFound || seconds === HUNT_SECONDS) context.count('mutants')
      else context.count('hunts ended by the clock')
      if (!isFound && seconds === HUNT_SECONDS) {
        context.finding(`a mutant survives: ${mutant.name}`, mutant.file, mutant)
      }
    }
  } finally {
    program.dispose()
  }
}
