/**
 * How writes wait, for syncs and for room, and what else happens meanwhile; and failures that must not matter.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemErrorCode, type VarveError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { FaultCode } from '../support/fault-call.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, entriesOf, openIn } from './directories.ts'

const disk = { durability: 'disk' } as const

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Up to `untilMs` on the clock, as it passes for a process that runs. */
async function passTime(memory: MemoryEnvironment, untilMs: number): Promise<void> {
  for (let ms = memory.clock.micros / 1000; ms <= untilMs; ms++) {
    await turn()
    memory.runTimers(ms)
  }
}

interface Faulty {
  readonly memory: MemoryEnvironment
  readonly environment: FaultEnvironment
  readonly db: DB
  fail(op: string, suffix: string, code?: FaultCode): void
}

async function faulty(options: Options = {}): Promise<Faulty> {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const small = { workers: 0, writeBufferBytes: 16384, maxImmutableMemTables: 1 }
  const db = await open(DIRECTORY, { ...small, ...options, environment })
  const fail = (op: string, suffix: string, code: FaultCode = 'EIO'): void =>
    environment.setFaults((call) => (call.op === op && call.path.endsWith(suffix) ? { code } : undefined))
  return { memory, environment, db, fail }
}

test('a durable write is neither visible nor acknowledged before its sync', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  memory.holdSyncs()
  let isAcknowledged = false
  const write = db.put('a', '1', disk).then(() => {
    isAcknowledged = true
  })
  await turn()
  assert.deepEqual([isAcknowledged, db.getSync('a')], [false, undefined])
  memory.releaseSyncs()
  await write
  assert.deepEqual(entriesOf(db), ['a=1'])
})

test('all writes that arrive while a sync is under way are one group with one sync', async () => {
  const { memory, environment, db } = await faulty()
  memory.holdSyncs()
  const writes = [db.put('a', '1', disk)]
  await turn()
  environment.takeCalls()
  for (let i = 0; i < 20; i++) {
    writes.push(db.put(`b${i}`, 'x', disk))
    await turn()
  }
  assert.deepEqual(environment.takeCalls(), [])
  memory.releaseSyncs()
  await Promise.all(writes)
  assert.deepEqual(
    environment.takeCalls().map((line) => line.split(' ')[0]),
    ['append', 'reserve', 'sync'],
  )
})

for (const [durability, groups] of [
  ['os', 3],
  ['disk', 2],
] as const) {
  test(`three large writes of one turn are ${groups} groups at ${durability}`, async () => {
    const db = await openIn(new MemoryEnvironment())
    const before = db.stats().writes.groups
    const value = new Uint8Array(700_000)
    await Promise.all(['a', 'b', 'c'].map((key) => db.put(key, value, { durability })))
    assert.equal(db.stats().writes.groups - before, groups)
    await db.close()
  })
}

test('a synchronous write completes the durable write before it, whose promise then resolves once', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  memory.holdSyncs()
  const write = db.put('a', '1', disk)
  await turn()
  db.putSync('b', '2')
  assert.deepEqual(entriesOf(db), ['a=1', 'b=2'])
  memory.releaseSyncs()
  await write
  const left = await openIn(memory.crashImage(0, new Prng(1)))
  assert.deepEqual(entriesOf(left)[0], 'a=1')
})

test('a sync that ends after its log was rotated away and removed is no failure', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  memory.holdSyncs()
  const write = db.put('a', '1', disk)
  await turn()
  for (let i = 0; i < 4; i++) db.putSync(`b${i}`, 'x'.repeat(9000))
  assert.ok(db.stats().flushes > 0)
  memory.releaseSyncs()
  await write
  assert.equal(db.stats().poisonedBy, undefined)
  await db.put('c', '3', disk)
  await db.close()
})

test('a flush waits for the durable write that it found, and takes it along', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  memory.holdSyncs()
  const write = db.put('a', '1', disk)
  const flush = db.flush()
  await turn()
  const later = db.put('b', '2', disk)
  memory.releaseSyncs()
  await Promise.all([write, flush, later])
  // What comes later goes to the next MemTable, which stays.
  for (const key of ['c', 'd', 'e']) await db.put(key, '3')
  assert.equal(db.stats().tables.length, 1)
  await db.close()
})

test('a buffered write reaches the operating system within walBufferMs, or with walBufferBytes', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory, { durability: 'buffered', walBufferMs: 10, walBufferBytes: 1000 })
  await db.put('a', '1')
  assert.equal(memory.readAll(`${DIRECTORY}/000001.log`).length, 19)
  memory.runTimers(20)
  assert.equal(memory.readAll(`${DIRECTORY}/000001.log`).length, 43)
  await db.put('b', 'x'.repeat(2000))
  assert.ok(memory.readAll(`${DIRECTORY}/000001.log`).length > 2000)
  await db.close()
  assert.equal(memory.timerCount, 0)
})

test('writes that wait for room go on when there is some, in their order', async () => {
  const { memory, environment, db, fail } = await faulty()
  const stalls: string[] = []
  db.on('stall', ({ phase, reason, immutableMemTables }) => stalls.push(`${phase} ${reason} ${immutableMemTables}`))
  fail('create', '.ldb')
  await db.put('a', 'x'.repeat(17_000))
  await db.put('b', 'x'.repeat(17_000))
  const waiting = ['c', 'd', 'e'].map((key) => db.put(key, '1'))
  await turn()
  assert.equal(db.getSync('c'), undefined)
  environment.setFaults(undefined)
  memory.runTimers(500)
  await Promise.all(waiting)
  assert.deepEqual(stalls, ['begin memtables 1', 'end memtables 0'])
  assert.equal(entriesOf(db).length, 5)
  await db.close()
})

test('writes that wait longer than stallTimeoutMs are refused, and later ones are taken again', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const options = { workers: 0, writeBufferBytes: 16384, maxImmutableMemTables: 1, stallTimeoutMs: 50, environment }
  const db = await open(DIRECTORY, options)
  environment.setFaults((call) => (call.path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  await db.put('a', 'x'.repeat(17_000))
  await db.put('b', 'x'.repeat(17_000))
  const waiting = [db.put('c', '1'), db.put('d', '1')]
  const outcomes = Promise.allSettled(waiting)
  await passTime(memory, 90)
  for (const outcome of await outcomes) {
    assert.equal(outcome.status, 'rejected')
    assert.deepEqual([outcome.reason.code, outcome.reason.outcome], ['STALLED', 'not-written'])
  }
  environment.setFaults(undefined)
  memory.runTimers(500)
  await db.put('e', '1')
  assert.deepEqual([db.getSync('c'), db.getSync('d')], [undefined, undefined])
  await db.close()
})

test('a write that waits for room while its process is stopped, longer than it may wait, goes on waiting afterwards', async () => {
  const { memory, db, environment, fail } = await faulty({ stallTimeoutMs: 80 })
  fail('create', '.ldb')
  await db.put('a', 'x'.repeat(17_000))
  await db.put('b', 'x'.repeat(17_000))
  const write = db.put('c', '1')
  await passTime(memory, 20)
  // Until just before the flush is tried again.
  memory.clock.advance(78)
  memory.runTimers(memory.clock.micros / 1000)
  await turn()
  environment.setFaults(undefined)
  await passTime(memory, 110)
  await write
  await db.close()
})

test('writes that wait for room when the MANIFEST fails are refused as read-only', async () => {
  const { memory, db, environment, fail } = await faulty()
  fail('create', '.ldb')
  await db.put('a', 'x'.repeat(17_000))
  await db.put('b', 'x'.repeat(17_000))
  const waiting = Promise.allSettled([db.put('c', '1')])
  await turn()
  environment.setFaults((call) =>
    call.op === 'sync' && call.path.startsWith('MANIFEST') ? { code: 'EIO' } : undefined,
  )
  memory.runTimers(500)
  const [outcome] = await waiting
  assert.ok(outcome.status === 'rejected')
  assert.deepEqual([outcome.reason.code, outcome.reason.outcome], ['READ_ONLY', 'not-written'])
})

test('a listing that fails after a flush does not concern the flush, nor the next one', async () => {
  const { db, environment, fail } = await faulty()
  fail('list', '')
  await db.put('a', '1')
  await db.flush()
  await db.put('b', '2')
  await db.flush()
  assert.equal(db.stats().tables.length, 2)
  environment.setFaults(undefined)
  await db.close()
})

test('a listing that fails when a scan ends does not concern the scan', async () => {
  const { db, environment, fail } = await faulty()
  await db.put('a', '1')
  const scan = db.scanSync()
  scan.next()
  await db.flush()
  fail('list', '')
  assert.deepEqual(scan.next(), { done: true, value: undefined })
  const other = db.scanSync()
  other.next()
  environment.setFaults(undefined)
  await db.put('b', '2')
  await db.flush()
  fail('list', '')
  await db.close()
})

test('a removal that fails is made up for by the next opening', async () => {
  const { memory, db, fail } = await faulty()
  await db.put('a', '1')
  fail('remove', '')
  await db.flush()
  await db.close()
  const again = await openIn(memory)
  assert.deepEqual(memory.paths().filter((path) => path.endsWith('.log')).length, 1)
  assert.deepEqual(entriesOf(again), ['a=1'])
})

test('closing does not wait out the pauses of a flush that fails: the log is made durable instead', async () => {
  const { memory, db, fail } = await faulty()
  await db.put('a', '1')
  fail('create', '.ldb', 'ENOSPC')
  let isClosed = false
  void db.close().then(() => {
    isClosed = true
  })
  for (let i = 0; i < 20; i++) await turn()
  assert.equal(isClosed, true)
  assert.deepEqual(entriesOf(await openIn(memory.crashImage(0, new Prng(1)))), ['a=1'])
})

test('closing a poisoned database is rejected if acknowledged writes may not be durable', async () => {
  const { memory, db, environment, fail } = await faulty()
  await db.put('a', '1', { durability: 'buffered' })
  fail('append', '.log', 'ENOSPC')
  await assert.rejects(db.put('b', '2'), ({ code, outcome, cause, file }: VarveError) => {
    assert.deepEqual([code, outcome, (cause as { code?: string }).code], ['IO_ERROR', 'indeterminate', 'ENOSPC'])
    assert.match(file ?? '', /\.log$/)
    return true
  })
  environment.setFaults(undefined)
  await assert.rejects(db.close(), { code: 'IO_ERROR' })
  assert.deepEqual([memory.files.locks.size, memory.files.openCount], [0, 0])
})

test('an opening that fails leaves no file open', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  environment.setFaults((call) => (call.op === 'rename' ? { code: 'EIO' } : undefined))
  await assert.rejects(open(DIRECTORY, { workers: 0, environment }), { code: 'IO_ERROR' })
  assert.deepEqual([memory.files.locks.size, memory.files.openCount], [0, 0])
})

test('a table whose close fails does not keep the other tables open', async () => {
  const { memory, db, environment } = await faulty()
  for (const key of ['a', 'b']) {
    await db.put(key, '1')
    await db.flush()
  }
  entriesOf(db)
  environment.setFaults((call) => (call.op === 'close' && call.path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  await db.close().catch(() => {})
  assert.deepEqual([memory.files.locks.size, memory.files.openCount], [0, 0])
})

test('a write that has waited too long is told why the flush it waited for fails, though that will be tried again', async () => {
  const { db, fail } = await faulty({ stallTimeoutMs: 20 })
  fail('create', '.ldb', 'ENOSPC')
  assert.throws(
    () => {
      for (let i = 0; i < 100; i++) db.putSync(`key${i}`, 'v'.repeat(4000))
    },
    ({ code, message, cause }: VarveError) => {
      assert.deepEqual([code, systemErrorCode(cause)], ['STALLED', 'ENOSPC'])
      assert.match(message, /cannot be flushed after 20 ms: cannot create .*ldb: no space left on device/)
      return true
    },
  )
  fail('nothing', '')
  await db.flush()
  db.putSync('a', '1')
  await db.close()
})

test('an opening for whose MemTable there is no memory says so, and holds nothing', async () => {
  const memory = new MemoryEnvironment()
  const Shared = globalThis.SharedArrayBuffer
  globalThis.SharedArrayBuffer = class {
    constructor(bytes: number) {
      if (bytes > 20_000_000) throw new RangeError('Array buffer allocation failed')
      // biome-ignore lint/correctness/noConstructorReturn: it stands in for the host's
      return new Shared(bytes)
    }
  } as never
  try {
    const message = /^there is no memory for a MemTable of \d+ bytes; a smaller writeBufferBytes takes less$/
    const options = { writeBufferBytes: 30_000_000 }
    await assert.rejects(openIn(memory, options), { code: 'NOT_SUPPORTED', message })
    assert.deepEqual([memory.files.locks.size, memory.files.openCount], [0, 0])
    const db = await openIn(memory)
    await db.close()
  } finally {
    globalThis.SharedArrayBuffer = Shared
  }
})

test('an unexpected error while a write waits for room is that write’s, and does not end all writing', async () => {
  const { db } = await faulty()
  const Shared = globalThis.SharedArrayBuffer
  globalThis.SharedArrayBuffer = class {
    constructor() {
      throw new RangeError('no address space')
    }
  } as never
  let settled: string | undefined
  try {
    const write = db.put('a', 'x'.repeat(6_000_000))
    write.then(
      () => {
        settled = 'fulfilled'
      },
      () => {
        settled = 'rejected'
      },
    )
    await turn()
    await turn()
  } finally {
    globalThis.SharedArrayBuffer = Shared
  }
  assert.equal(settled, 'rejected')
})
