/**
 * Mutant count: which mutants of the subjects the tests find. What time does not suffice for is left out: the order is drawn from
 * the seed, so that what was looked at is a sample.
 *
 * The score is found / (found + alive). Two classes are apart from both, each by a list with reasons (allowed.ts): mutants that do
 * the same as the program whatever it is given, and mutants of constants that only time and memory depend on. What is left out of
 * the list and lives, counts as alive, be it hard to test or not; so does what no test reaches, and what lives through as many tests
 * as there is time for, which is said besides.
 */
import { Prng } from '../../src/base/prng.ts'
import type { CampaignContext } from '../campaign.ts'
import { type AllowedMutant, TUNING } from './allowed.ts'
import { EQUIVALENTS } from './equivalents.ts'
import type { FileTable } from './file-table.ts'
import { Hunter, type Outcome } from './hunting.ts'
import { withMutants } from './instrument.ts'
import { type Mutant, mutantsOf, sitesOf } from './operators.ts'
import type { Program } from './program.ts'
import { Survey, survey } from './survey.ts'

/** Of all mutants but those that do the same as the program. */
const SCORE_MIN = 0.9
/** A score of fewer is chance. */
const SAMPLE_MIN = 200

export async function countMutants(
  context: CampaignContext,
  program: Program,
  sources: ReadonlyMap<string, string>,
  table: FileTable,
): Promise<void> {
  const mutants: Mutant[] = []
  const sites: number[] = []
  for (const [file, source] of sources) {
    program.replace(file, withMutants(source, mutants.length))
    for (const { alternatives } of sitesOf(source)) {
      const first = sites.length
      for (const _ of alternatives) sites.push(first)
    }
    mutants.push(...mutantsOf(file, source))
  }
  const surveyed = new Survey(await survey(program, mutants.length), {
    tests: program.tests,
    siteOf: (place) => sites[place],
    fileOf: (place) => mutants[place].file,
    importsOf: (tests) => program.importsOf(tests),
  })
  const listed = new Set(EQUIVALENTS.flatMap(keysOf))
  const score = new Score(context, mutants, table)
  const candidates = mutants.map((mutant) => ({ ...mutant, isListed: listed.has(keyOf(mutant)) }))
  const hunter = new Hunter(context, program, surveyed, candidates, (outcome) => score.add(outcome))
  const drawn = shuffled(mutants.length, context.seed).filter(
    (mutant) => process.env.VARVE_MUTANTS !== 'listed' || candidates[mutant].isListed,
  )
  const tuning = drawn.filter((mutant) => isTuning(mutants[mutant]))
  context.count('mutants of what only time and memory depend on', tuning.length)
  await hunter.hunt(drawn.filter((mutant) => !isTuning(mutants[mutant])))
  score.close((file) => sources.has(file))
}

class Score {
  readonly #context: CampaignContext
  readonly #mutants: readonly Mutant[]
  readonly #table: FileTable
  readonly #allowed: ReadonlySet<string> = new Set(EQUIVALENTS.flatMap(keysOf))
  /** Listed ones that a test found, and those that it did not. */
  readonly #foundListed = new Set<string>()
  readonly #aliveListed = new Set<string>()
  #found = 0
  #alive = 0

  constructor(context: CampaignContext, mutants: readonly Mutant[], table: FileTable) {
    this.#context = context
    this.#mutants = mutants
    this.#table = table
  }

  add(outcome: Outcome): void {
    const { mutant, test, isByClock, isSure } = outcome
    const subject = this.#mutants[mutant]
    const key = keyOf(subject)
    const isListed = this.#allowed.has(key)
    this.#context.count('mutants')
    if (test !== undefined) {
      this.#context.count('mutants found')
      if (isByClock) this.#context.count('mutants found because a test did not end')
      this.#found++
      if (isListed) this.#foundListed.add(key)
    } else if (isListed) {
      this.#context.count('mutants that do the same as the program')
      this.#aliveListed.add(key)
    } else {
      this.#context.count('mutants alive')
      if (!isSure) this.#context.count('mutants alive in a part of the tests, since all take too long')
      this.#alive++
    }
    this.#table.mutant(subject, outcome, isListed)
    this.#context.progress(this.#found + this.#alive + this.#aliveListed.size, this.#mutants.length)
  }

  close(isSubject: (file: string) => boolean): void {
    const all = this.#found + this.#alive
    if (all >= SAMPLE_MIN && this.#found / all < SCORE_MIN) {
      this.#context.finding('too many mutants live', `${this.#alive} of ${all}`, {})
    }
    const present = new Set(this.#mutants.map(keyOf))
    for (const listed of EQUIVALENTS) {
      if (!isSubject(listed.file)) continue
      for (const key of keysOf(listed)) {
        const isFound = this.#foundListed.has(key) && !this.#aliveListed.has(key)
        if (present.has(key) && !isFound) continue
        this.#context.finding('a mutant is listed as doing the same', `and is found or gone: ${key}`, listed)
      }
    }
    for (const { file, constant } of TUNING) {
      if (!isSubject(file) || this.#mutants.some((mutant) => mutant.file === file && isOf(mutant, constant))) continue
      this.#context.finding('a constant is listed that is gone', `${file}: ${constant}`, {})
    }
  }
}

function isTuning(mutant: Mutant): boolean {
  return TUNING.some(({ file, constant }) => file === mutant.file && isOf(mutant, constant))
}

function isOf({ line }: Mutant, constant: string): boolean {
  return line.replace('export ', '').startsWith(`const ${constant} = `)
}

function keysOf({ file, line, changes }: AllowedMutant): string[] {
  return changes.map((change) => keyOf({ file, line, change }))
}

function keyOf({ file, line, change }: Mutant): string {
  return `${file}: ${change} | ${line}`
}

function shuffled(length: number, seed: number): number[] {
  const prng = new Prng(seed)
  const order = Array.from({ length }, (_, i) => i)
  for (let i = length - 1; i > 0; i--) {
    const j = prng.below(i + 1)
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}
