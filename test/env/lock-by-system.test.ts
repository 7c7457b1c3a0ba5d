/**
 * The directory lock on systems that nothing here runs on: a process is told that it is on another one before varve is loaded. What that
 * system's kernel does is not tried, only which lock varve takes there.
 */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { startOpener } from './opener.ts'

const { files } = nodeEnvironment()
const onLinux = { skip: process.platform !== 'linux' }

function makeDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'varve-lock-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Starts lock-opener as if on `system`, and waits for its line. */
async function openOn(t: TestContext, system: string, directory: string): Promise<string> {
  const preload = `Object.defineProperty(process,'platform',{value:'${system}'})`
  const node = [process.execPath, '--import', `data:text/javascript,${encodeURIComponent(preload)}`]
  const children: ChildProcess[] = []
  t.after(() => {
    for (const child of children) child.kill('SIGKILL')
  })
  return (await startOpener('varve', directory, node, children)).line
}

it('on Android, the lock is that of Linux: whoever comes second is refused', onLinux, async (t) => {
  const directory = makeDirectory(t)
  const lock = await files.lock(directory)
  assert.match(await openOn(t, 'android', directory), new RegExp(`^LOCKED .* process ${process.pid} `))
  lock.release()
  assert.equal(await openOn(t, 'android', directory), 'held')
  await assert.rejects(files.lock(directory), { code: 'LOCKED' })
})

it('where no lock is to be had, it is refused', async (t) => {
  assert.match(await openOn(t, 'sunos', makeDirectory(t)), /^NOT_SUPPORTED .*sunos has no lock/)
})
