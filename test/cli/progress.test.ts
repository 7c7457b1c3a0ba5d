/**
 * The progress bar of commands that take long.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { repository } from '../support/paths.ts'
import { CLI_PATH, succeed, temporaryPath } from './run-cli.ts'

const PROGRESS = pathToFileURL(repository('.build', 'src', 'cli', 'progress.js')).href
/** Takes a pipe for a terminal, and goes on until it is ended. */
const PROGRAM = `
  const { Progress } = await import('${PROGRESS}')
  process.stderr.isTTY = true
  new Progress({ show: String, totalBytes: 100 })
  setInterval(() => {}, 1000)
  process.stdout.write('begun')
`
const SHOW_CURSOR = '\u001b[?25h'
const WRAP_LINES = '\u001b[?7h'

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends an import, and leaves the terminal as it was`, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM])
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    await once(child.stdout, 'data')
    child.kill(signal)
    const [status, killedBy] = await once(child, 'close')
    assert.deepEqual([status, killedBy], [null, signal])
    const end = stderr.slice(stderr.lastIndexOf('\u001b[?25l'))
    assert.ok(end.includes(SHOW_CURSOR) && end.includes(WRAP_LINES), JSON.stringify(end))
  })
}

test('a bar is as full as what has been done', () => {
  const program = `${PROGRAM.replace('setInterval(() => {}, 1000)', '')}; new Progress({ show: String, totalBytes: 100 }).update(7, 50)`
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.match(stderr, /█{14}░{14} 50 % {2}7 {2}\d+\/s {2}\d+ s left$/)
})

for (const [command, shown] of [
  ['verify', / [1-9]\d* % {2}[1-9]\d* B {2}.*B\/s/],
  ['repair', / [1-9]\d* % {2}[1-9]\d* B {2}.*B\/s/],
  ['compact', /[1-9]\d* B {2}.*B\/s/],
] as const) {
  test(`${command} shows on a terminal how far it has come, and nothing of it in a pipe`, (t) => {
    const directory = temporaryPath(t)
    for (const value of ['1', '2']) succeed('put', directory, 'a', value)
    const run = (isTTY: boolean): string => {
      const program = `process.stderr.isTTY = ${isTTY}; await import('${pathToFileURL(CLI_PATH).href}')`
      const args = ['--input-type=module', '-e', program, 'varve', command, directory]
      return spawnSync(process.execPath, args, { encoding: 'utf8' }).stderr
    }
    const terminal = run(true)
    assert.match(terminal, shown)
    assert.ok(terminal.includes(SHOW_CURSOR) && terminal.includes(WRAP_LINES))
    assert.ok(!run(false).includes('\u001b'))
  })
}
