/**
 * The progress bar of an import.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { repository } from '../support/paths.ts'

const PROGRESS = pathToFileURL(repository('.build', 'src', 'cli', 'progress.js')).href
/** Takes a pipe for a terminal, and goes on until it is ended. */
const PROGRAM = `
  const { Progress } = await import('${PROGRESS}')
  process.stderr.isTTY = true
  new Progress(100)
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
