/**
 * Hunting: each mutant against the tests that reach it, the nearest first: those of its file, then those of its folder, then
 * others, of each the quickest first. A mutant is found if a test fails, if it goes on and on (probe.ts), or if its process ends
 * or no longer answers.
 *
 * A test that fails with a mutant is run once more without it. If it fails then, too, what was left behind has spoiled the process:
 * the mutant is looked for in another one, where each test has to pass without it first.
 *
 * Many mutants share a process, and have little time each. One that lives there is looked for once more if that does not settle it:
 * if its place is reached while modules are loaded, or was not reached while it was on (what a module or a test keeps was made
 * before), or if there are more tests. This time it has a process of its own, and is on from the start: what is wrong is wrong from
 * the beginning. What is listed as doing the same is looked for in the first way only.
 *
 * Outcomes are told in the order in which the mutants were drawn, and of the last only if those before are known: otherwise, when
 * the time is over, there would be more of the quick ones in the sample, and those are the ones that are found.
 */
import type { CampaignContext } from '../campaign.ts'
import type { Answer, Hunt } from './messages.ts'
import type { Mutant } from './operators.ts'
import { NO_ANSWER, type Program } from './program.ts'
import { QUICK_MS } from './subjects.ts'
import type { Survey } from './survey.ts'

/** Mutants that one process looks at: few enough that it stays fresh. */
const HUNTS_MAX = 50
/** Processor time of all tests of a mutant together, as measured without it. */
const FIRST_MS_MAX = 2000
/** The same for one that is looked for once more. */
const AGAIN_MS_MAX = 5000
/** A mutant may be reached so many times as often as its place was without it, and so often besides. */
const RUNAWAY_FACTOR = 20
const RUNAWAY_MORE = 2000
/** The same for all places together. */
const STEPS_FACTOR = 10
const STEPS_MORE = 2_000_000
/** How long a test may take, in processor time where that is known. */
const ANSWER_MS = 4000
const ANSWER_FACTOR = 20
/** Loading all tests takes a second. */
const LOADING_MS = 10_000

/** A mutant, and whether it is listed as doing the same as the program. */
export interface Candidate extends Mutant {
  readonly isListed: boolean
}

export interface Outcome {
  readonly mutant: number
  /** What found it; undefined: it lives. */
  readonly test: string | undefined
  /** It was found because its process gave no answer. */
  readonly isByClock: boolean
  /** All tests that could find it were run; false for what lives through some of them. */
  readonly isSure: boolean
}

export class Hunter {
  readonly #context: CampaignContext
  readonly #program: Program
  readonly #survey: Survey
  readonly #mutants: readonly Candidate[]
  readonly #tell: (outcome: Outcome) => void
  /** Mutants in the order in which they are told. */
  #untold: number[] = []
  readonly #known = new Map<number, Outcome>()
  readonly #spoiling = new Set<number>()
  /** They live, as far as is known. */
  readonly #unsettled = new Set<number>()

  constructor(
    context: CampaignContext,
    program: Program,
    survey: Survey,
    mutants: readonly Candidate[],
    tell: (outcome: Outcome) => void,
  ) {
    this.#context = context
    this.#program = program
    this.#survey = survey
    this.#mutants = mutants
    this.#tell = tell
  }

  /** Look for mutants in this order, until the time is over. */
  async hunt(mutants: readonly number[]): Promise<void> {
    for (let begin = 0; begin < mutants.length && !this.#context.isOver(); begin += HUNTS_MAX) {
      const part = mutants.slice(begin, begin + HUNTS_MAX)
      this.#untold = [...part]
      await this.#together(part)
      for (const mutant of part) {
        if (this.#unsettled.delete(mutant) && !this.#context.isOver()) await this.#alone(mutant)
      }
    }
  }

  async #together(mutants: readonly number[]): Promise<void> {
    const left = mutants.map((mutant) => {
      const tests = this.#survey.testsOf(mutant).filter((test) => this.#survey.msOf(test) <= QUICK_MS)
      return this.#huntOf(mutant, tests, FIRST_MS_MAX)
    })
    while (left.length > 0 && !this.#context.isOver()) {
      left.splice(0, await this.#run(left, undefined))
      // It has spoiled the process that was to tell.
      const [first] = left
      if (first !== undefined && this.#spoiling.delete(first.mutant)) left[0] = { ...first, isChecked: true }
    }
  }

  async #alone(mutant: number): Promise<void> {
    const hunt = this.#huntOf(mutant, this.#allTestsOf(mutant), AGAIN_MS_MAX)
    await this.#run([hunt], mutant)
  }

  /** Of what is kept by a module, a test may see the mistake without reaching its place. */
  #allTestsOf(mutant: number): string[] {
    const reaching = this.#survey.testsOf(mutant)
    if (!this.#survey.isLoading(mutant)) return reaching
    return [...new Set([...reaching, ...this.#survey.testsThatImport(mutant)])]
  }

  #huntOf(mutant: number, tests: readonly string[], msMax: number): Hunt {
    const chosen: string[] = []
    let ms = 0
    for (const test of tests) {
      ms += this.#survey.msOf(test)
      if (ms > msMax && chosen.length > 0) break
      chosen.push(test)
    }
    return { mutant, tests: chosen, limit: this.#survey.mostOften(mutant) * RUNAWAY_FACTOR + RUNAWAY_MORE }
  }

  /** It lives through the tests of a hunt. */
  #settle({ mutant, tests }: Hunt, isSure: boolean, isAlone: boolean): void {
    const areAll = tests.length === this.#allTestsOf(mutant).length
    const isSettled = isAlone || this.#mutants[mutant].isListed || (areAll && isSure)
    if (isSettled) this.#learn({ mutant, test: undefined, isByClock: false, isSure: areAll })
    else this.#unsettled.add(mutant)
  }

  #found({ mutant }: Hunt, test: string, isByClock: boolean): void {
    this.#learn({ mutant, test, isByClock, isSure: true })
  }

  #learn(outcome: Outcome): void {
    this.#known.set(outcome.mutant, outcome)
    while (this.#untold.length > 0) {
      const next = this.#known.get(this.#untold[0])
      if (next === undefined) return
      this.#untold.shift()
      this.#tell(next)
    }
  }

  /** @returns how many are done: fewer than there are if one ended the process */
  async #run(hunts: readonly Hunt[], fromTheStart: number | undefined): Promise<number> {
    let done = 0
    let test: string | undefined
    const hear = (answer: Answer): number => {
      if (this.#context.isOver()) return 0
      if (answer.kind === 'begun') {
        test = answer.test
        // Twice: with the mutant, and without.
        return ANSWER_MS + this.#survey.msOf(answer.test) * ANSWER_FACTOR
      }
      if (answer.kind === 'spoiled') this.#spoiling.add(answer.mutant)
      if (answer.kind === 'killed') this.#found(hunts[done++], answer.test, false)
      if (answer.kind === 'alive') this.#settle(hunts[done++], answer.isSure, fromTheStart !== undefined)
      return LOADING_MS
    }
    const tests = new Set(hunts.flatMap((hunt) => hunt.tests))
    const stepsMax = Object.fromEntries(
      [...tests].map((id) => [id, this.#survey.stepsOf(id) * STEPS_FACTOR + STEPS_MORE]),
    )
    const job = { files: this.#survey.filesOf([...tests]), places: this.#mutants.length, hunts, stepsMax }
    const end = await this.#program.run(fromTheStart === undefined ? job : { ...job, fromTheStart }, hear, LOADING_MS)
    if (end === undefined || done === hunts.length || this.#context.isOver()) return done
    if (test === undefined && fromTheStart === undefined) throw new Error(`the tests do not run: ${end}`)
    this.#found(hunts[done], test ?? 'loading', end === NO_ANSWER)
    return done + 1
  }
}
