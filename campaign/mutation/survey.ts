/**
 * Survey: what each test reaches, and how long it takes, in the program as it is.
 */
import type { Answer } from './messages.ts'
import type { Program } from './program.ts'
import { TEST_MS_MAX, TESTS } from './subjects.ts'

/** Everything that a survey does comes to an end by itself. */
const SILENCE_MS = 300_000

interface SurveyedTest {
  readonly id: string
  readonly ms: number
  /** Places, and how often each was reached. */
  readonly hits: ReadonlyMap<number, number>
  /** How many places it reached, each as often as it did. */
  readonly steps: number
}

export class Survey {
  readonly #tests: readonly SurveyedTest[]
  readonly #byId: ReadonlyMap<string, SurveyedTest>
  readonly #loading: ReadonlyMap<number, number>
  readonly #siteOf: (place: number) => number
  readonly #fileOf: (place: number) => string

  /**
   * @param siteOf by which place a place is counted
   * @param fileOf where a place is
   */
  constructor(answers: readonly Answer[], siteOf: (place: number) => number, fileOf: (place: number) => string) {
    this.#tests = answers
      .filter((answer) => answer.kind === 'surveyed')
      .map(({ test, ms, hits }) => ({ id: test, ms, hits: pairs(hits), steps: sumOfCounts(hits) }))
      .filter(({ ms }) => ms <= TEST_MS_MAX)
      .sort((a, b) => a.ms - b.ms)
    this.#byId = new Map(this.#tests.map((test) => [test.id, test]))
    this.#loading = pairs(answers.find((answer) => answer.kind === 'loaded')?.hits ?? [])
    this.#siteOf = siteOf
    this.#fileOf = fileOf
  }

  get testCount(): number {
    return this.#tests.length
  }

  /** Whether a place is reached while modules are loaded, and by no test afterwards: a constant of a module, what computes it. */
  isLoading(place: number): boolean {
    return this.#loading.has(this.#siteOf(place)) && !this.#isTested(place)
  }

  isReached(place: number): boolean {
    return this.#loading.has(this.#siteOf(place)) || this.#isTested(place)
  }

  #isTested(place: number): boolean {
    const site = this.#siteOf(place)
    return this.#tests.some(({ hits }) => hits.has(site))
  }

  /** Tests that reach a place, the nearest first, of those the quickest. */
  testsOf(place: number): string[] {
    const site = this.#siteOf(place)
    return this.#nearest(
      this.#fileOf(place),
      this.#tests.filter(({ hits }) => hits.has(site)),
    )
  }

  /** Tests that reach a file, the nearest first, of those the quickest. */
  testsOfFile(file: string): string[] {
    const reaches = (hits: ReadonlyMap<number, number>): boolean => {
      for (const place of hits.keys()) if (this.#fileOf(place) === file) return true
      return false
    }
    return this.#nearest(
      file,
      this.#tests.filter(({ hits }) => reaches(hits)),
    )
  }

  #nearest(file: string, tests: readonly SurveyedTest[]): string[] {
    return tests.map(({ id }) => id).sort((a, b) => distance(file, a) - distance(file, b))
  }

  /** How often one test reaches a place at most. */
  mostOften(place: number): number {
    const site = this.#siteOf(place)
    return this.#tests.reduce((most, { hits }) => Math.max(most, hits.get(site) ?? 0), this.#loading.get(site) ?? 0)
  }

  stepsOf(test: string): number {
    return this.#byId.get(test)?.steps ?? 0
  }

  msOf(test: string): number {
    return this.#byId.get(test)?.ms ?? TEST_MS_MAX
  }

  /** Files of tests, in the order in which they are listed. */
  filesOf(tests: readonly string[]): string[] {
    const files = new Set(tests.map((id) => id.slice(0, id.indexOf('#'))))
    return TESTS.filter((file) => files.has(file))
  }
}

/**
 * Run each test once. @throws Error if one fails: it would kill every mutant
 * @param places how many there are
 * @param skipped tests that are not run
 */
export async function survey(program: Program, places: number, skipped: readonly string[] = []): Promise<Answer[]> {
  const answers: Answer[] = []
  const hear = (answer: Answer): number => {
    answers.push(answer)
    return SILENCE_MS
  }
  const end = await program.run({ files: TESTS, places, skipped }, hear, SILENCE_MS)
  if (end !== undefined) throw new Error(`the tests do not run: ${end}; last ${JSON.stringify(answers.at(-1))}`)
  for (const answer of answers) {
    if (answer.kind === 'surveyed' && answer.error !== undefined) {
      throw new Error(`${answer.test} fails without a mutant: ${answer.name}: ${answer.error}`)
    }
  }
  return answers
}

/** Of a test from a file: 0 if it is that file's, 1 if it is of the same folder, 2 otherwise. */
function distance(file: string, test: string): number {
  if (test.startsWith(`${file}.`)) return 0
  return test.startsWith(file.slice(0, file.indexOf('/') + 1)) ? 1 : 2
}

function sumOfCounts(flat: readonly number[]): number {
  let sum = 0
  for (let i = 1; i < flat.length; i += 2) sum += flat[i]
  return sum
}

function pairs(flat: readonly number[]): Map<number, number> {
  const map = new Map<number, number>()
  for (let i = 0; i < flat.length; i += 2) map.set(flat[i], flat[i + 1])
  return map
}

/** Tests that take too long for thousands of mutants. */
export function slowTests(answers: readonly Answer[]): string[] {
  return answers
    .filter((answer) => answer.kind === 'surveyed')
    .filter(({ ms }) => ms > TEST_MS_MAX)
    .map(({ test }) => test)
}
