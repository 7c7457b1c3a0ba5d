/**
 * Collector: stands in for `node:test` in a copy of the tests. What is declared is kept instead of run, so that one process can
 * run the same test again and again, with another mutant each time.
 */
import { type TestContext, mock as theirs } from 'node:test'

type Body = (context: TestContext) => unknown

interface Options {
  readonly skip?: boolean | string
  readonly todo?: boolean | string
}

export interface CollectedTest {
  /** The file's path from test/, a number sign, and the number of the test in it. */
  readonly id: string
  readonly name: string
  /** What is done once for many tests, if it is not done yet: without a mutant, since the next ones will use it. */
  prepare(): Promise<void>
  /** @throws whatever the test or what is done before and after it throws */
  run(): Promise<void>
}

interface Suite {
  readonly name: string
  readonly outer: Suite | undefined
  readonly before: Body[]
  readonly beforeEach: Body[]
  readonly afterEach: Body[]
}

export const collected: CollectedTest[] = []
export const mock: typeof theirs = theirs

let file = ''
let inFile = 0
let suite: Suite = newSuite('', undefined)
/** What is done once, before the first test of a suite. */
const prepared = new Map<Suite, Promise<void>>()

/** What is declared from here on is of this file. */
export function beginFile(path: string): void {
  file = path
  inFile = 0
  suite = newSuite('', undefined)
}

export function test(...declared: unknown[]): void {
  const name = declared.find((part) => typeof part === 'string') ?? ''
  const body = declared.find((part) => typeof part === 'function') as Body | undefined
  const { skip, todo }: Options = declared.find((part) => typeof part === 'object' && part !== null) ?? {}
  const owner = suite
  const id = `${file}#${inFile++}`
  if (body === undefined || isSet(skip) || isSet(todo)) return
  collected.push({
    id,
    name: `${owner.name}${name}`,
    prepare: () => prepareSuites(owner, name),
    run: () => runTest(owner, name, body),
  })
}

export function describe(name: string, body: () => void): void {
  const outer = suite
  suite = newSuite(`${outer.name}${name}: `, outer)
  body()
  suite = outer
}

export const it: typeof test = test
export const before = (body: Body): number => suite.before.push(body)
export const beforeEach = (body: Body): number => suite.beforeEach.push(body)
export const afterEach = (body: Body): number => suite.afterEach.push(body)
/** What is done when all is over: the end of the process. */
export function after(): void {}

function newSuite(name: string, outer: Suite | undefined): Suite {
  return { name, outer, before: [], beforeEach: [], afterEach: [] }
}

function isSet(flag: boolean | string | undefined): boolean {
  return flag !== undefined && flag !== false
}

async function runTest(owner: Suite, name: string, body: Body): Promise<void> {
  const endings: Body[] = []
  const context = contextFor(owner, name, endings)
  const suites = suitesFrom(owner)
  await prepareSuites(owner, name)
  try {
    for (const outer of suites) for (const hook of outer.beforeEach) await hook(context)
    await body(context)
  } finally {
    for (const ending of endings) await ending(context)
    for (const outer of suites.reverse()) for (const hook of outer.afterEach) await hook(context)
  }
}

async function prepareSuites(owner: Suite, name: string): Promise<void> {
  const context = contextFor(owner, name, [])
  for (const outer of suitesFrom(owner)) await prepare(outer, context)
}

function prepare(owner: Suite, context: TestContext): Promise<void> {
  const done = prepared.get(owner)
  if (done !== undefined) return done
  const all = (async () => {
    for (const hook of owner.before) await hook(context)
  })()
  prepared.set(owner, all)
  return all
}

/** The outermost first. */
function suitesFrom(owner: Suite | undefined): Suite[] {
  return owner === undefined ? [] : [...suitesFrom(owner.outer), owner]
}

function contextFor(owner: Suite, name: string, endings: Body[]): TestContext {
  const context = {
    name,
    mock: theirs,
    signal: new AbortController().signal,
    diagnostic: () => {},
    skip: () => {},
    todo: () => {},
    plan: () => {},
    after: (ending: Body) => endings.push(ending),
    test: (inner: string, ...rest: unknown[]) =>
      runTest(owner, inner, rest.find((part) => typeof part === 'function') as Body),
  }
  return context as unknown as TestContext
}
