/**
 * The progress line of commands that take long.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { repository } from '../support/paths.ts'
import { CLI_PATH, run, succeed, temporaryPath } from './run-cli.ts'

const PROGRESS = pathToFileURL(repository('.build', 'src', 'cli', 'progress.js')).href
/** Everything but this would stay behind of a command that is stopped or killed. */
const CLEAR_LINE = '\r\u001b[K'

interface Terminal {
  readonly columns?: number
  readonly type?: string
}

/** What a program writes to stderr that takes a pipe for a terminal. */
function onTerminal(program: string, { columns, type = 'xterm' }: Terminal = {}, args: readonly string[] = []): string {
  const lines = `process.stderr.isTTY = true; process.stderr.columns = ${columns}; process.env.TERM = '${type}'; ${program}`
  return spawnSync(process.execPath, ['--input-type=module', '-e', lines, ...args], { encoding: 'utf8' }).stderr
}

/** The lines that are drawn when `count` is done, and `bytes` of `totalBytes`. */
function drawn(count: number, bytes: number, totalBytes: number | undefined, terminal?: Terminal): string[] {
  const program = `
    const { Progress } = await import('${PROGRESS}')
    new Progress({ show: String, totalBytes: ${totalBytes} }).update(${count}, ${bytes})`
  return onTerminal(program, terminal).split(CLEAR_LINE).slice(1)
}

for (const [name, bytes, totalBytes, shown] of [
  ['as full as what has been done', 50, 100, /^█{14}░{14} 50 % {2}7 {2}\d+\/s {2}\d+ s left$/],
  ['empty where nothing has been done', 0, 100, /^░{28} 0 % {2}7 {2}\d+\/s {2}– s left$/],
  ['full where there was less to do than was said', 300, 100, /^█{28} 100 % {2}7 {2}\d+\/s {2}0 s left$/],
  ['full where there was nothing to do', 7, 0, /^█{28} 100 % {2}7 {2}\d+\/s {2}0 s left$/],
  ['not there where nobody knows how much there is to do', 7, undefined, /^7 {2}\d+\/s$/],
] as const) {
  test(`a bar is ${name}`, () => {
    assert.match(drawn(7, bytes, totalBytes).at(-1)!, shown)
  })
}

for (const [columns, shown] of [
  [0, /^█{14}░{14} 50 % /],
  [60, /^█{14}░{14} 50 % {2}7 {2}.* left$/],
  [40, /^█{5,9}░{5,9} 50 % {2}7 {2}.* left$/],
  [20, /^50 % {2}7 {2}\d+\/s {2}/],
  [5, /^50 %$/],
  [1, /^$/],
] as const) {
  test(`a line on a terminal of ${columns} columns shows what fits, and does not wrap`, () => {
    const lines = drawn(7, 50, 100, { columns })
    assert.match(lines.at(-1)!, shown)
    for (const line of lines) assert.ok(columns === 0 || line.length < columns, JSON.stringify(line))
  })
}

test('a terminal that cannot clear a line shows no progress', () => {
  assert.deepEqual(drawn(7, 50, 100, { type: 'dumb' }), [])
})

for (const [command, shown] of [
  ['verify', / [1-9]\d* % {2}[1-9]\d* B {2}.*B\/s/],
  ['repair', / [1-9]\d* % {2}[1-9]\d* B {2}.*B\/s/],
  ['compact', /[1-9]\d* B {2}.*B\/s/],
  ['backup', / [1-9]\d* % {2}[1-9]\d* B {2}.*B\/s/],
  ['restore', / 100 % {2}[1-9]\d* B {2}.*B\/s/],
  ['import', / 0 % {2}0 records {2}–\/s {2}– s left/],
] as const) {
  test(`${command} shows on a terminal how far it has come, leaves nothing behind, and shows nothing of it in a pipe`, (t) => {
    const directory = temporaryPath(t)
    for (const value of ['1', '2']) succeed('put', directory, 'a', value)
    const backup = temporaryPath(t, 'backup')
    const { stdout } = spawnSync(process.execPath, [CLI_PATH, 'backup', directory])
    writeFileSync(backup, stdout)
    const records = temporaryPath(t, 'records')
    writeFileSync(records, '{"key":"a","value":"b"}')
    const arguments_ = {
      restore: () => [backup, temporaryPath(t)],
      import: () => [directory, records],
    }
    const args = (): string[] => [command, ...(arguments_[command as keyof typeof arguments_]?.() ?? [directory])]
    const terminal = onTerminal(`await import('${pathToFileURL(CLI_PATH).href}')`, {}, ['varve', ...args()])
    assert.match(terminal, shown)
    const [last, ...more] = terminal.split(CLEAR_LINE).reverse()
    assert.ok(more.length > 1, terminal)
    assert.ok(!last.includes('left') && !terminal.replaceAll(CLEAR_LINE, '').includes('\u001b'), terminal)
    assert.ok(!run(...args()).stderr.includes('\u001b'))
  })
}
