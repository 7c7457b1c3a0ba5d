/**
 * test: runs the compiled form of every test/**\/*.test.ts with Node's own test runner, each file in a process of its
 * own, and closes with one plain line: `N passed, N failed`, and `, N skipped` if any were.
 *
 * Arguments select files by a part of their path; `--rewrite` lets the datadriven tests write their expectations anew.
 * Run tools/bootstrap.mjs first, as `npm test` does: this only runs what is compiled.
 *
 * What the runner itself lets pass is a failure here: a file that is not compiled, a file that runs no test, a test
 * that starts and never ends because its process left with status 0, and a hook that fails after its tests passed.
 */
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, sep } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const FILE_TIMEOUT_MS = 600_000

/** The test sources selected by `parts`, as paths from the root with forward slashes. */
function select(parts) {
  return readdirSync(join(root, 'test'), { recursive: true })
    .map((name) => `test/${name.split(sep).join('/')}`)
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)))
    .sort()
}

/** Counts outcomes as they are reported, and finds what was never reported. */
class Tally {
  passed = 0
  failed = 0
  skipped = 0
  /** What failed without the runner saying so. */
  unreported = []
  /** Tests that began, by place and name, and how many of them have not ended. */
  #open = new Map()
  /** A file that ran no test is reported by the runner as if it were one. */
  #files

  constructor(files) {
    this.#files = new Set(files)
  }

  fail(message) {
    this.failed++
    this.unreported.push(message)
  }

  begun(data) {
    if (!this.#files.has(data.name)) this.#add(data, 1)
  }

  ended(data, isPass) {
    if (this.#files.has(data.name)) {
      // Passing, it had no test; failing, it ended badly, whatever its tests said.
      if (isPass) this.fail(`${data.name} ran no test`)
      else this.failed++
      return
    }
    this.#add(data, -1)
    const failureType = data.details.error?.failureType
    const isSuite = data.details.type === 'suite'
    if (!isPass && data.todo === undefined && failureType !== 'subtestsFailed') this.failed++
    else if (data.skip !== undefined || data.todo !== undefined) this.skipped++
    else if (isPass && !isSuite) this.passed++
  }

  close() {
    for (const [place, count] of this.#open) if (count > 0) this.fail(`${place} began and never ended`)
  }

  #add({ file, line, column, name }, change) {
    const place = `${file}:${line}:${column} “${name}”`
    this.#open.set(place, (this.#open.get(place) ?? 0) + change)
  }

  toString() {
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : ''
    return `${this.passed} passed, ${this.failed} failed${skipped}`
  }
}

const args = process.argv.slice(2)
const sources = select(args.filter((arg) => !arg.startsWith('--')))
if (args.includes('--rewrite')) process.env.VARVE_REWRITE = '1'
// Failures then name lines of the TypeScript sources. The test processes inherit it.
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --enable-source-maps`.trim()

const compiled = sources.map((path) => join(root, '.build', path.replace(/\.ts$/, '.js')))
const files = compiled.filter((path) => existsSync(path))
const tally = new Tally(files)
for (const path of compiled) if (!files.includes(path)) tally.fail(`${path} is missing: its source is not compiled`)
if (sources.length === 0) tally.fail('no test file matches')

if (files.length > 0) {
  const concurrency = Number(process.env.VARVE_TEST_CONCURRENCY) || availableParallelism()
  const events = run({ files, concurrency, timeout: FILE_TIMEOUT_MS })
  events.on('test:enqueue', (data) => tally.begun(data))
  events.on('test:pass', (data) => tally.ended(data, true))
  events.on('test:fail', (data) => tally.ended(data, false))
  for await (const text of events.compose(spec)) process.stdout.write(text)
}
tally.close()
process.exitCode = tally.failed > 0 ? 1 : 0
for (const message of tally.unreported) console.log(`✖ ${message}`)
console.log(String(tally))
