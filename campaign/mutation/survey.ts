/**
 * Survey: what each test reaches, and how long it takes, in the program as it is. What is reached while modules are loaded, no test
 * reaches by itself: it belongs to all tests of the files that import the module.
 */
import type { Answer } from './messages.ts'
import type { Program } from './program.ts'

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

/** What of a survey depends on the program. */
export interface Places {
  /** Files of tests, in the order in which they are loaded. */
  readonly tests: readonly string[]
  /** By which place a place is counted. */
  siteOf(place: number): number
  /** Below src/, without its extension. */
  fileOf(place: number): string
  /** Source files that a file of tests imports, itself or through others. */
  importsOf(tests: string): ReadonlySet<string>
}

export class Survey {
  readonly #tests: readonly SurveyedTest[]
  readonly #byId: ReadonlyMap<string, SurveyedTest>
  readonly #loading: ReadonlyMap<number, number>
  readonly #places: Places

  constructor(answers: readonly Answer[], places: Places) {
    this.#tests = answers
      .filter((answer) => answer.kind === 'surveyed')
      .map(({ test, ms, hits }) => ({ id: test, ms, hits: pairs(hits), steps: sumOfCounts(hits) }))
      .sort((a, b) => a.ms - b.ms)
    this.#byId = new Map(this.#tests.map((test) => [test.id, test]))
    this.#loading = pairs(answers.find((answer) => answer.kind === 'loaded')?.hits ?? [])
    this.#places = places
  }

  /** Whether a place is reached while modules are loaded, be it by tests, too: a constant of a module, what computes it. */
  isLoading(place: number): boolean {
    return this.#loading.has(this.#places.siteOf(place))
  }

  /** Tests that reach a place, the nearest first, of those the quickest. */
  testsOf(place: number): string[] {
    const site = this.#places.siteOf(place)
    return this.#nearest(
      this.#places.fileOf(place),
      this.#tests.filter(({ hits }) => hits.has(site)),
    )
  }

  /** Tests of files that import that of a place, the nearest first, of those the quickest. */
  testsThatImport(place: number): string[] {
    const file = this.#places.fileOf(place)
    return this.#nearest(
      file,
      this.#tests.filter(({ id }) => this.#places.importsOf(fileOfTest(id)).has(file)),
    )
  }

  #nearest(file: string, tests: readonly SurveyedTest[]): string[] {
    return tests.map(({ id }) => id).sort((a, b) => distance(file, a) - distance(file, b))
  }

  /** How often one test reaches a place at most. */
  mostOften(place: number): number {
    const site = this.#places.siteOf(place)
    return this.#tests.reduce((most, { hits }) => Math.max(most, hits.get(site) ?? 0), this.#loading.get(site) ?? 0)
  }

  stepsOf(test: string): number {
    return this.#byId.get(test)?.steps ?? 0
  }

  msOf(test: string): number {
    return this.#byId.get(test)?.ms ?? 0
  }

  /** Files of tests, in the order in which they are listed. */
  filesOf(tests: readonly string[]): string[] {
    const files = new Set(tests.map(fileOfTest))
    return this.#places.tests.filter((file) => files.has(file))
  }
}

/**
 * Run each test once. @throws Error if one fails: it would kill every mutant
 * @param places how many there are
 */
export async function survey(program: Program, places: number): Promise<Answer[]> {
  const answers: Answer[] = []
  const hear = (answer: Answer): number => {
    answers.push(answer)
    return SILENCE_MS
  }
  const end = await program.run({ files: program.tests, places }, hear, SILENCE_MS)
  if (end !== undefined) throw new Error(`the tests do not run: ${end}; last ${JSON.stringify(answers.at(-1))}`)
  for (const answer of answers) {
    if (answer.kind === 'surveyed' && answer.error !== undefined) {
      throw new Error(`${answer.test} fails without a mutant: ${answer.name}: ${answer.error}`)
    }
  }
  return answers
}

/** Places that anything has reached: a test, what is done before tests, or loading. */
export function reachedIn(answers: readonly Answer[]): Set<number> {
  const reached = new Set<number>()
  for (const answer of answers) {
    if (answer.kind !== 'loaded' && answer.kind !== 'surveyed') continue
    for (const place of pairs(answer.hits).keys()) reached.add(place)
  }
  return reached
}

/** Below test/, without its extension. */
function fileOfTest(id: string): string {
  return id.slice(0, id.indexOf('#'))
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
