/**
 * A file that is replaced while somebody has it open, as a reader has CURRENT for a moment, or whoever looks for viruses. Windows
 * refuses that until the file is closed; elsewhere it is nothing out of the ordinary.
 */
import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { systemErrorCode } from '../../src/base/errors.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'

const { files } = nodeEnvironment()

/** Paths of CURRENT and of what is to replace it. */
function written(t: TestContext): { current: string; next: string } {
  const directory = mkdtempSync(join(tmpdir(), 'varve-replaced-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const current = join(directory, 'CURRENT')
  const next = join(directory, '000002.dbtmp')
  writeFileSync(current, 'old')
  writeFileSync(next, 'new')
  return { current, next }
}

/** Another thread has the file open, for `heldMs`. */
function holder(file: string, heldMs: number): Promise<Worker> {
  const program = `const { closeSync, openSync } = require('node:fs')
    const { parentPort, workerData } = require('node:worker_threads')
    const fd = openSync(workerData.file, 'r')
    parentPort.postMessage('open')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, workerData.heldMs)
    closeSync(fd)`
  const worker = new Worker(program, { eval: true, workerData: { file, heldMs } })
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve(worker))
    worker.once('error', reject)
  })
}

test('a file that another thread has open for a moment is replaced', async (t) => {
  const { current, next } = written(t)
  const worker = await holder(current, 100)
  files.rename(next, current)
  assert.equal(readFileSync(current, 'utf8'), 'new')
  await worker.terminate()
})

const onWindows = { skip: process.platform !== 'win32' && 'elsewhere, what is open can be replaced' }
test('a file that stays open is not replaced, and both are left as they were', onWindows, (t) => {
  const { current, next } = written(t)
  const fd = openSync(current, 'r')
  let code: string | undefined
  try {
    files.rename(next, current)
  } catch (error) {
    code = systemErrorCode(error)
  } finally {
    closeSync(fd)
  }
  assert.equal(code, 'EPERM')
  assert.deepEqual([readFileSync(current, 'utf8'), readFileSync(next, 'utf8')], ['old', 'new'])
})
