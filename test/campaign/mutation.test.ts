/**
 * What T16 makes of a file: its mutants, a file that holds all of them, and one that counts its branches.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TUNING } from '../../campaign/mutation/allowed.ts'
import { EQUIVALENTS } from '../../campaign/mutation/equivalents.ts'
import { withBranches, withMutants } from '../../campaign/mutation/instrument.ts'
import { type Mutant, mutantsOf } from '../../campaign/mutation/operators.ts'
import { Probe, RunawayError } from '../../campaign/mutation/probe.ts'
import { chosenSubjects, chosenTests } from '../../campaign/mutation/subjects.ts'
import { repository } from '../support/paths.ts'

test('whatever is listed as an equivalent is a mutant of the engine', () => {
  const mutants = new Map<string, readonly Mutant[]>()
  for (const { file, line, changes } of EQUIVALENTS) {
    const all = mutants.get(file) ?? mutantsOf(file, readFileSync(repository('.build', 'src', `${file}.js`), 'utf8'))
    mutants.set(file, all)
    for (const change of changes) {
      const found = all.filter((one) => one.line === line && one.change === change)
      assert.equal(found.length, 1, `${file}: ${line} (${change})`)
    }
  }
})

const CHANGES: readonly (readonly [source: string, changes: readonly string[]])[] = [
  ['x = a < b', ['x = a < b → nothing', 'a < b → a <= b', 'a < b → a >= b']],
  ['if (a < b) f()', ['a < b → true', 'a < b → false', 'a < b → a <= b']],
  ['while (a > 1) f()', ['a > 1 → false', 'a > 1 → a >= 1', '1 → 2', '1 → (0)', 'f() → nothing']],
  ["x = 'a' + b", ["x = 'a' + b → nothing"]],
  ['i++', ['i++ → nothing', 'i++ → i--']],
  ['x = -1', ['x = -1 → nothing', '-1 → (1)']],
  ['x = a && !b', ['x = a && !b → nothing', 'a && !b → a || !b', '!b → (b)']],
  ['function f() { return a }', ['a → undefined']],
  ['assert(a < b)', []],
  ['n = Math.max(needed, n * 2)', ['n = Math.max(needed, n * 2) → nothing']],
  ['n = Math.max(1, n)', ['n = Math.max(1, n) → nothing', '1 → 2', '1 → (0)']],
  ['class C { constructor() { this.x = undefined; } }', []],
  ['class C { f() { this.x = undefined; } }', ['this.x = undefined → nothing']],
  ['x = 0 + 0', ['x = 0 + 0 → nothing', '0 + 0 → 0 - 0', '0 → 1', '0 → (-1)', '0 → 1 #2', '0 → (-1) #2']],
  ['x = 1\nx = 1', ['x = 1 → nothing', '1 → 2', '1 → (0)', 'x = 1 → nothing #2', '1 → 2 #2', '1 → (0) #2']],
  ['x = { 1: true }', ['x = { 1: true } → nothing', 'true → false']],
]

for (const [source, changes] of CHANGES) {
  test(`the mutants of ${source}`, () => {
    const found = mutantsOf('f', source).map(({ change }) => change.replace('; →', ' →'))
    assert.deepEqual(found.sort(), [...changes].sort())
  })
}

/** What a function body returns for each of some arguments, with a probe. */
function results(body: string, probe: Probe): unknown[] {
  const run = new Function('globalThis', 'x', body) as (global: object, x: number) => unknown
  return [0, 1, 2, 3].map((x) => run({ $varve: probe }, x))
}

const BODY = `
let sum = 0
if (x > 1) sum += 10
else sum += 1
for (let i = 0; i < x; i++) sum += i + 3
return f(sum)
function f(value) { return value * 2 }`

test('a file with all its mutants does what the file does until one is on', () => {
  const source = `function body(x) {${BODY}\n}`
  const mutants = mutantsOf('f', source)
  const text = `${withMutants(source, 0)}\nreturn body(x)`
  const probe = new Probe(mutants.length)
  assert.deepEqual(results(text, probe), [2, 8, 34, 44])
  const lives = mutants.filter((_, i) => {
    probe.active = i
    probe.limit = 100
    probe.hits.fill(0)
    try {
      return String(results(text, probe)) === '2,8,34,44'
    } catch (error) {
      assert.ok(error instanceof RunawayError)
      return false
    }
  })
  assert.deepEqual(
    lives.map(({ change }) => change),
    [],
  )
})

test('a statement that is left out takes no else with it', () => {
  const source = 'let y = 0\nif (x < 2)\n  if (x < 1) y = 1\n  else y = 2\nelse y = 3\nreturn y'
  const probe = new Probe(100)
  const inside = `function body(x) {${source}}`
  assert.deepEqual(results(`${withMutants(inside, 0)}\nreturn body(x)`, probe), [1, 2, 3, 3])
})

test('each operand of a condition has two branches, and counting them changes nothing', () => {
  const source = 'function body(x) { if (x > 0 && !(x > 2)) return 1\n return x === 3 ? undefined ?? 2 : 0 }'
  const { text, branches } = withBranches('f', source, 0)
  const probe = new Probe(branches.length)
  assert.deepEqual(results(`${text}\nreturn body(x)`, probe), [0, 1, 1, 2])
  const counts = branches.map(({ way }, i) => `${way} ${probe.hits[i]}`)
  assert.deepEqual(counts, [
    'entered 4',
    'x > 0 is true 3',
    'x > 0 is false 1',
    'x > 2 is true 1',
    'x > 2 is false 2',
    'x === 3 is true 1',
    'x === 3 is false 1',
    'undefined is there 0',
    'undefined is missing 1',
  ])
})

test('no two mutants of a file have their line and their change in common', () => {
  const source = 'if (a > 0 && b > 0) f(0, 0)\nif (a > 0 && b > 0) f(0, 0)'
  const keys = mutantsOf('f', source).map(({ line, change }) => `${line}: ${change}`)
  assert.equal(new Set(keys).size, keys.length)
})

test('what is allowed has a reason each', () => {
  for (const { reason } of [...EQUIVALENTS, ...TUNING]) assert.match(reason, /\w+ \w+/)
})

test('of the listed files those are looked at that are asked for; with tests of one’s own, any file of src/', () => {
  const [listed, all] = chosenSubjects({})
  assert.equal(listed.length, all)
  assert.ok(chosenTests({}).includes('log/log.test'))
  assert.deepEqual(chosenSubjects({ VARVE_SUBJECTS: 'base/coding,log/log-reader,worker/' })[0], [
    'base/coding',
    'log/log-reader',
  ])
  const choice = { VARVE_SUBJECTS: 'jobs/drop-rule', VARVE_TESTS: 'test/jobs,version/level,-level-iterator,jobs/drop' }
  const [files, more] = chosenSubjects(choice)
  assert.deepEqual([files, more > all], [['jobs/drop-rule'], true])
  assert.deepEqual(chosenTests(choice), ['jobs/drop-rule.test'])
})

test('a process whose tests cannot be loaded says so, as one does that has a mutant from the start', () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-runner-'))
  try {
    const job = join(directory, 'job.json')
    writeFileSync(job, JSON.stringify({ files: ['no/such.test'], places: 1, hunts: [], fromTheStart: 0 }))
    const runner = fileURLToPath(new URL('../../campaign/mutation/runner.js', import.meta.url))
    const stdio = ['ignore', 'ignore', 'pipe', 'pipe'] as const
    const { status, stderr } = spawnSync(process.execPath, [runner, job], { stdio: [...stdio] })
    assert.equal(status, 1)
    assert.match(String(stderr), /no\/such\.test/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
