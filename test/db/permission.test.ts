/**
 * A directory that this user may not read or write is refused with the system's own word, and left as it was.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { open } from '../../src/db/open.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { FileOperation } from '../support/fault-call.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY } from './directories.ts'

const operations: readonly FileOperation[] = ['make-dir', 'lock', 'list', 'create', 'sync-dir', 'rename']

for (const operation of operations) {
  test(`an opening whose ${operation} is denied says so, and keeps nothing`, async () => {
    const memory = new MemoryEnvironment()
    const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
    environment.setFaults(({ op }) => (op === operation ? { code: 'EACCES' } : undefined))
    const error = { code: 'IO_ERROR', message: /permission denied \(EACCES\)/ }
    await assert.rejects(open(DIRECTORY, { workers: 0, environment }), error)
    assert.deepEqual([memory.files.locks.size, memory.files.openCount], [0, 0])
    environment.setFaults(undefined)
    const db = await open(DIRECTORY, { workers: 0, environment })
    await db.put('a', '1')
    await db.close()
  })
}

test('a directory that belongs to someone else is refused', { skip: process.getuid?.() !== 0 }, () => {
  const outer = mkdtempSync(join(tmpdir(), 'varve-permission-'))
  const directory = join(outer, 'data')
  try {
    chmodSync(outer, 0o755)
    const varve = new URL('../../src/public/index.js', import.meta.url).href
    const program = `const { open } = await import(process.argv[1])
      process.setuid(65534)
      await open(process.argv[2]).catch((error) => console.log(error.code, error.message))`
    const args = ['--input-type=module', '-e', program, varve, directory]
    const output = execFileSync(process.execPath, args, { encoding: 'utf8' })
    assert.match(output, /^IO_ERROR cannot make directory .*: permission denied \(EACCES\)\n$/)
    assert.deepEqual(readdirSync(outer), [])
  } finally {
    rmSync(outer, { recursive: true, force: true })
  }
})
