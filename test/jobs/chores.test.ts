/**
 * Chores: what is removed, and what counts as a failure.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { runRemoveJob } from '../../src/jobs/chores.ts'
import { FaultEnvironment } from '../support/fault-env.ts'

function withFiles(...names: string[]): MemoryEnvironment {
  const memory = new MemoryEnvironment()
  memory.files.makeDirectory('/db')
  for (const name of names) memory.write(`/db/${name}`, Uint8Array.of(1))
  return memory
}

function left(memory: MemoryEnvironment): string[] {
  return memory.paths().filter((path) => path.startsWith('/db/'))
}

test('a file goes from the first of its paths at which it is, and only from that', () => {
  const memory = withFiles('1.ldb', '2.sst', '3.ldb', '3.sst', '5.log')
  const files = [['/db/1.ldb', '/db/1.sst'], ['/db/2.ldb', '/db/2.sst'], ['/db/3.ldb', '/db/3.sst'], ['/db/5.log']]
  assert.deepEqual(runRemoveJob({ kind: 'remove', files }, memory).failures, [])
  assert.deepEqual(left(memory), ['/db/3.sst'])
})

test('a file that is nowhere is missed only where it could be at one path alone', () => {
  const memory = withFiles('2.ldb')
  const files = [['/db/1.ldb', '/db/1.sst'], ['/db/1.log'], ['/db/2.ldb', '/db/2.sst']]
  const { failures } = runRemoveJob({ kind: 'remove', files }, memory)
  assert.deepEqual(
    failures.map(({ file, osCode }) => [file, osCode]),
    [['/db/1.log', 'ENOENT']],
  )
  assert.deepEqual(left(memory), [])
})

test('a removal that fails is reported, its other path is not tried, and the others go', () => {
  const memory = withFiles('1.ldb', '1.sst', '2.ldb')
  const faulty = new FaultEnvironment(memory, {
    faultAt: ({ op, path }) => (op === 'remove' && path.endsWith('1.ldb') ? { code: 'EACCES' } : undefined),
  })
  const files = [
    ['/db/1.ldb', '/db/1.sst'],
    ['/db/2.ldb', '/db/2.sst'],
  ]
  const { failures } = runRemoveJob({ kind: 'remove', files }, faulty)
  assert.deepEqual(
    failures.map(({ osCode }) => osCode),
    ['EACCES'],
  )
  assert.deepEqual(left(memory), ['/db/1.ldb', '/db/1.sst'])
})
