/**
 * test: runs the compiled tests (.build/test/**\/*.test.js) with Node's own test runner, each file in a process of its
 * own, and closes with one plain line. Arguments select files by a part of their path; `--rewrite` lets the datadriven
 * tests write their expectations anew.
 */
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../.build/test', import.meta.url))
const args = process.argv.slice(2)
if (args.includes('--rewrite')) process.env.VARVE_REWRITE = '1'
const wanted = args.filter((arg) => !arg.startsWith('--'))

const files = readdirSync(root, { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => relative('test', name).includes(part) || name.includes(part)))
  .map((name) => join(root, name))
  .sort()
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`)
  process.exit(1)
}

const counts = { passed: 0, failed: 0, skipped: 0 }
function count(outcome, data) {
  // A suite is counted by its tests, and a file by the tests in it.
  if (data.details?.type === 'suite') return
  if (data.skip !== undefined || data.todo !== undefined) counts.skipped++
  else counts[outcome]++
}

const stream = run({ files, concurrency: process.env.VARVE_TEST_CONCURRENCY ? Number(process.env.VARVE_TEST_CONCURRENCY) : 2, timeout: 600_000 })
stream.on('test:pass', (data) => count('passed', data))
stream.on('test:fail', (data) => count('failed', data))
stream.on('end', () => {
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0
})
const report = stream.compose(spec)
report.pipe(process.stdout)
report.on('end', () => console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`))
