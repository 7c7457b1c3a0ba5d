/** The phases of a write, also when something fails between them: who is refused, who is indeterminate, and what became visible. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IOError, VarveError } from '../../src/base/errors.ts'
import { type Bytes, type Durability, fileNumber, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import * as Batch from '../../src/batch/batch-format.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import { DatabaseDirectory } from '../../src/db/opening/database-directory.ts'
import { Health } from '../../src/db/reports/health.ts'
import { CommitQueue, type CommitTarget } from '../../src/db/write/commit-queue.ts'
import { WriteAheadLog } from '../../src/db/write/write-ahead-log.ts'
import { GROUP_BYTES_MAX, type WriteGroup } from '../../src/db/write/write-group.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { bytesOf } from '../table/entries.ts'
import { recordEnds } from './directories.ts'

interface Begun {
  readonly queue: CommitQueue
  readonly target: CommitTarget
  readonly memory: MemoryEnvironment
  /** What `buffered` writes left to be handed over. */
  readonly buffered: number[]
  /** What the database's listeners hear. */
  readonly told: Error[]
}

function begin(capacityBytes: number = 1 << 23): Begun {
  const memory = new MemoryEnvironment()
  const { files } = memory
  files.makeDirectory('/db')
  const log = new WriteAheadLog(new DatabaseDirectory(files, '/db'), false, () => fileNumber(2))
  log.rotate(fileNumber(1), sequenceNumber(1))
  const told: Error[] = []
  const health = new Health((error) => told.push(error))
  const memtable = MemTable.create({ capacityBytes })
  const buffered: number[] = []
  const logBuffered = (): void => {
    buffered.push(log.bufferedBytes)
  }
  const target = { log, memtable, health, lastSequence: sequenceNumber(0), logBuffered }
  return { queue: new CommitQueue(target), target, memory, buffered, told }
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

/** The ops that a log holds. */
function opsIn(memory: MemoryEnvironment): string[] {
  const bytes = memory.readAll('/db/000001.log')
  const ops: string[] = []
  const text = (from: Bytes, offset: number, length: number): string =>
    Buffer.from(from).toString('latin1', offset, offset + length)
  for (const at of recordEnds(bytes).slice(0, -1)) {
    const length = bytes[at + 4] | (bytes[at + 5] << 8)
    Batch.forEachOp(bytes, at + 7, length, {
      add: (sequence, type, key, keyOff, keyLen, value, valOff, valLen) => {
        const kind = { [ValueType.VALUE]: 'put', [ValueType.DELETION]: 'delete' }[type] ?? 'range delete'
        ops.push(`${sequence} ${kind} ${text(key, keyOff, keyLen)} ${text(value, valOff, valLen)}`.trimEnd())
      },
    })
  }
  return ops
}

test('what writers ask for is in the log in their order, numbered on from group to group, then in the MemTable and the figures', () => {
  const { queue, target, memory } = begin()
  const { log, memtable } = target
  const found = (key: string): string | undefined => {
    const version = memtable.get(key)
    return version?.type === 'value' ? Buffer.from(version.value).toString() : version && 'deleted'
  }
  const elsewhere = MemTable.attach(memtable.share())
  assert.equal(queue.begin(), undefined, 'nobody writes')
  const first = [
    queue.put(bytesOf('a'), bytesOf('1'), 'os'),
    queue.put(bytesOf('b'), bytesOf('2'), 'os'),
    queue.delete(bytesOf('a'), 'os'),
  ]
  assert.equal(new Set([...first, queue.next, queue.last]).size, 1, 'they share a group')
  assert.equal(queue.begin(), first[0])
  const batch = new WriteBatch().put('c', '3').delete('d')
  const second = [queue.write(batch.encoded(), 0, 'os'), queue.deleteRange(bytesOf('b'), bytesOf('c'), 'os')]
  assert.deepEqual(new Set(second), new Set([queue.next]))
  assert.deepEqual([queue.begun, queue.last], [first[0], second[0]])
  assert.deepEqual(log.acknowledged(), [{ number: 1, bytes: 0 }])
  queue.finish(first[0])
  assert.deepEqual([target.lastSequence, log.acknowledged()[0].bytes], [3, log.bytes])
  assert.deepEqual([found('a'), found('b')], ['deleted', '2'])
  assert.equal(queue.begin(), second[0])
  assert.equal(target.lastSequence, 3, 'what is only logged is not visible')
  assert.equal(elsewhere.entryCount, 3)
  queue.finish(second[0])
  assert.deepEqual(opsIn(memory), [
    '1 put a 1',
    '2 put b 2',
    '3 delete a',
    '4 put c 3',
    '5 delete d',
    '6 range delete b c',
  ])
  assert.deepEqual([found('b'), found('c')], ['deleted', '3'])
  const { groupCount, entryCount, writtenBytes } = queue
  assert.deepEqual(
    [target.lastSequence, groupCount, entryCount, writtenBytes],
    [6, 2, 6, first[0].bytes + second[0].bytes],
  )
  assert.deepEqual([...first, ...second].map(outcomeOf), Array(5).fill('written'))
})

test('a `buffered` write stays with the log, which is told of it; others are handed over, and of a `disk` one the name is durable first', () => {
  const { queue, target, memory, buffered } = begin()
  const { log } = target
  const { files } = memory
  const write = (durability: Durability): number[] => {
    const before = log.bytes
    const flushed = before - log.bufferedBytes
    queue.put(bytesOf('k'), bytesOf('v'), durability)
    queue.finish(queue.begin()!)
    return [log.bytes - before, log.bytes - log.bufferedBytes - flushed, buffered.length]
  }
  const [record] = write('os')
  assert.deepEqual(write('buffered'), [record, 0, 1])
  assert.deepEqual(write('buffered'), [record, 0, 2])
  assert.deepEqual(buffered, [record, 2 * record])
  assert.deepEqual(write('os'), [record, 3 * record, 2])
  const named: number[] = []
  const syncDirectory = files.syncDirectory.bind(files)
  files.syncDirectory = (path) => {
    syncDirectory(path)
    named.push(log.bytes)
  }
  const unnamed = log.bytes
  assert.deepEqual(write('disk'), [record, record, 2])
  assert.deepEqual(named, [unnamed])
})

test('a write that would make a group too long begins the next one, of whatever kind it is', () => {
  const { queue } = begin()
  const half = new Uint8Array(GROUP_BYTES_MAX / 2)
  const long = new Uint8Array(GROUP_BYTES_MAX)
  const writes: readonly (() => WriteGroup)[] = [
    () => queue.put(half, half, 'os'),
    () => queue.delete(long, 'os'),
    () => queue.deleteRange(half, half, 'os'),
    () => queue.write(new WriteBatch().put('k', long).encoded(), 0, 'os'),
  ]
  for (const write of writes) {
    const short = queue.put(bytesOf('k'), bytesOf('v'), 'os')
    assert.notEqual(write(), short)
  }
})

test('a log whose name cannot be made durable takes nothing: for want of descriptors the next write tries again, otherwise it is the end', () => {
  for (const [code, outcomes, isPoisoned] of [
    ['EMFILE', ['STALLED, not-written', 'written'], false],
    ['EIO', ['READ_ONLY, not-written', 'READ_ONLY, not-written'], true],
  ] as const) {
    const { queue, target, memory } = begin()
    const syncDirectory = memory.files.syncDirectory.bind(memory.files)
    const cause = new IOError(code, { cause: Object.assign(new Error(code), { code }) })
    memory.files.syncDirectory = () => {
      memory.files.syncDirectory = syncDirectory
      throw cause
    }
    const refused = queue.put(bytesOf('a'), new Uint8Array(GROUP_BYTES_MAX), 'disk')
    const next = queue.put(bytesOf('b'), bytesOf('2'), 'disk')
    assert.equal(queue.begin(), undefined)
    assert.deepEqual([target.log.bytes, queue.begun, target.health.isPoisoned], [0, undefined, isPoisoned])
    const begun = queue.begin()
    assert.equal(begun, isPoisoned ? undefined : next)
    if (begun !== undefined) queue.finish(begun)
    assert.deepEqual([refused, next].map(outcomeOf), outcomes)
    assert.deepEqual(opsIn(memory), isPoisoned ? [] : ['1 put b 2'])
  }
})

test('a log that cannot be written makes its group indeterminate, and refuses those behind it', () => {
  const { queue, target } = begin()
  const groups = ['a', 'b'].map((key) => large(queue, key))
  target.log.fail(new Error('told'))
  assert.equal(queue.begin(), undefined)
  assert.deepEqual(groups.map(outcomeOf), ['IO_ERROR, indeterminate', 'READ_ONLY, not-written'])
  assert.deepEqual([target.health.isPoisoned, queue.begun, queue.last], [true, undefined, undefined])
})

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

test('a group that is in the MemTable and cannot be published is indeterminate, and its sequence numbers are not given again', () => {
  const { queue, target } = begin()
  const group = large(queue, 'a')
  const behind = large(queue, 'b')
  queue.begin()
  target.memtable.publish = () => {
    throw new RangeError('the stack ends')
  }
  queue.finish(group)
  assert.deepEqual([group, behind].map(outcomeOf), ['IO_ERROR, indeterminate', 'READ_ONLY, not-written'])
  assert.throws(() => large(queue, 'c'), { code: 'READ_ONLY' })
})

test('nobody waits for a group whose first write could not be copied', () => {
  const { queue } = begin()
  const key = Object.defineProperty({ length: 1 }, 0, {
    get: () => {
      throw new RangeError('the stack ends')
    },
  }) as unknown as Bytes
  assert.throws(() => queue.put(key, bytesOf('1'), 'os'), RangeError)
  assert.deepEqual([queue.next, queue.last], [undefined, undefined])
  const group = queue.put(bytesOf('a'), bytesOf('1'), 'os')
  assert.deepEqual([queue.next, group.opCount], [group, 1])
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

test('a sync that fails late leaves the group that has begun since to its own sync', () => {
  const { queue } = begin()
  const first = queue.put(bytesOf('a'), bytesOf('1'), 'disk')
  queue.begin()
  queue.finish(first)
  const second = queue.put(bytesOf('b'), bytesOf('2'), 'disk')
  queue.begin()
  queue.failSync(first, new IOError('cannot sync'))
  assert.deepEqual([queue.begun, queue.last, outcomeOf(second)], [second, second, 'waits'])
  const cause = new RangeError('cannot sync', { cause: new Error('of no account') })
  queue.failSync(second, cause)
  assert.deepEqual([first, second].map(outcomeOf), ['written', 'IO_ERROR, indeterminate'])
  assert.equal(second.error?.cause, cause)
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
