/** The phases of a write when something fails between them: who is refused, who is indeterminate, and what became visible. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IOError, VarveError } from '../../src/base/errors.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { CommitQueue, type CommitTarget } from '../../src/db/commit-queue.ts'
import { DatabaseDirectory } from '../../src/db/database-directory.ts'
import { Health } from '../../src/db/health.ts'
import { WriteAheadLog } from '../../src/db/write-ahead-log.ts'
import type { WriteGroup } from '../../src/db/write-group.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { bytesOf } from '../table/entries.ts'

interface Begun {
  readonly queue: CommitQueue
  readonly target: CommitTarget
  /** What the database's listeners hear. */
  readonly told: Error[]
}

function begin(capacityBytes: number = 1 << 23): Begun {
  const { files } = new MemoryEnvironment()
  files.makeDirectory('/db')
  const log = new WriteAheadLog(new DatabaseDirectory(files, '/db'), false)
  log.rotate(fileNumber(1), sequenceNumber(1))
  const told: Error[] = []
  const health = new Health((error) => told.push(error))
  const memtable = MemTable.create({ capacityBytes })
  const target = { log, memtable, health, lastSequence: sequenceNumber(0), logBuffered: () => {} }
  return { queue: new CommitQueue(target), target, told }
}

/** A write that no other one joins. */
function large(queue: CommitQueue, key: string): WriteGroup {
  return queue.put(bytesOf(key), new Uint8Array(1_000_000), 'os')
}

function outcomeOf({ isSettled, error }: WriteGroup): string {
  if (!isSettled) return 'waits'
  if (error === undefined) return 'written'
  return error instanceof VarveError ? `${error.code}, ${error.outcome}` : String(error)
}

test('groups that wait when the database is poisoned from elsewhere are refused, all of them, and not logged', () => {
  const { queue, target, told } = begin()
  const groups = ['a', 'b', 'c'].map((key) => large(queue, key))
  const cause = new IOError('the MANIFEST')
  target.health.poison(cause)
  assert.equal(queue.begin(), undefined)
  assert.deepEqual(groups.map(outcomeOf), Array(3).fill('READ_ONLY, not-written'))
  assert.deepEqual([queue.next, queue.begun, queue.last], [undefined, undefined, undefined])
  assert.equal(target.log.bytes + target.log.bufferedBytes, 0)
  assert.deepEqual(told, [cause])
})

test('a group that is logged and finds no room in the MemTable is indeterminate, stays invisible and ends all writing', () => {
  const { queue, target, told } = begin(4096)
  const group = large(queue, 'a')
  const behind = large(queue, 'b')
  assert.equal(queue.begin(), group)
  assert.equal(queue.last, behind)
  queue.finish(group)
  assert.deepEqual([group, behind].map(outcomeOf), ['IO_ERROR, indeterminate', 'READ_ONLY, not-written'])
  assert.match(String(group.error?.message), /may not have reached the log/)
  assert.equal(group.error?.cause, told[0])
  assert.deepEqual([target.lastSequence, queue.groupCount, queue.begun], [0, 0, undefined])
  assert.throws(() => large(queue, 'c'), { code: 'READ_ONLY' })
})

test('a sync that fails after somebody else has finished its group takes nothing back, and refuses those who wait', () => {
  const { queue, target, told } = begin()
  const group = queue.put(bytesOf('a'), bytesOf('1'), 'disk')
  assert.equal(queue.begin(), group)
  queue.finish(group)
  queue.finish(group)
  assert.deepEqual([target.lastSequence, queue.groupCount, queue.entryCount], [1, 1, 1])
  const next = large(queue, 'b')
  const cause = new IOError('cannot sync')
  queue.failSync(group, cause)
  assert.deepEqual([group, next].map(outcomeOf), ['written', 'READ_ONLY, not-written'])
  assert.deepEqual(told, [cause])
})

test('a sync that fails settles the group that waits for it, and leaves none that has begun', () => {
  const { queue, target } = begin()
  const group = queue.put(bytesOf('a'), bytesOf('1'), 'disk')
  assert.equal(queue.begin(), group)
  queue.failSync(group, new IOError('cannot sync', { file: '/db/000001.log' }))
  assert.equal(outcomeOf(group), 'IO_ERROR, indeterminate')
  assert.equal((group.error as VarveError).file, '/db/000001.log')
  queue.finish(group)
  assert.deepEqual([target.lastSequence, queue.begun, queue.last], [0, undefined, undefined])
})

test('of several failures the first one is told and named', () => {
  const told: Error[] = []
  const health = new Health((error) => told.push(error))
  health.check()
  const [first, second] = [new IOError('first'), new IOError('second')]
  health.poison(first)
  health.poison(second)
  assert.deepEqual([told, health.cause, health.refusal().cause], [[first], first, first])
  assert.throws(() => health.check(), { code: 'READ_ONLY', outcome: 'not-written', cause: first })
})
