/** FaultEnvironment: what it records, how calls fail, and what is left when the world stops. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FileSystem } from '../../src/base/environment.ts'
import { IOError, systemErrorCode } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { FaultCode, FileCall } from '../support/fault-call.ts'
import { CrashedError, FaultEnvironment } from '../support/fault-env.ts'

const BYTES = Uint8Array.from({ length: 140 }, (_, i) => i)

/** A workload that makes a call of every kind. */
async function work(files: FileSystem): Promise<void> {
  files.makeDirectory('/db')
  const lock = await files.lock('/db')
  const log = files.createWritable('/db/000005.log')
  log.append(BYTES, 0, 140)
  log.sync()
  await log.syncLater()
  log.close()
  files.syncDirectory('/db')
  files.createWritable('/db/000006.dbtmp').close()
  files.rename('/db/000006.dbtmp', '/db/CURRENT')
  files.status('/db/CURRENT')
  files.list('/db')
  const file = files.openRandomAccess('/db/000005.log')
  file.read(4, new Uint8Array(10), 0, 10)
  file.close()
  files.remove('/db/000005.log')
  lock.release()
}

const CALLS = [
  'make-dir',
  'lock',
  'create 000005.log',
  'append 000005.log 140',
  'sync 000005.log',
  'sync 000005.log',
  'close 000005.log',
  'sync-dir',
  'create 000006.dbtmp',
  'close 000006.dbtmp',
  'rename 000006.dbtmp CURRENT',
  'status CURRENT',
  'list',
  'open 000005.log',
  'read 000005.log 4 10',
  'close 000005.log',
  'remove 000005.log',
  'unlock',
]

describe('a fault environment', () => {
  it('records every call in order, with paths relative to the database', async () => {
    const environment = new FaultEnvironment(new MemoryEnvironment(), { directory: '/db', countReads: true })
    await work(environment.files)
    assert.deepEqual(environment.calls, CALLS)
    assert.equal(environment.callCount, CALLS.length)
    assert.deepEqual(environment.takeCalls(), CALLS)
    assert.deepEqual(environment.calls, [])
    environment.files.list('/db')
    assert.equal(environment.callCount, CALLS.length + 1)
  })

  it('leaves reads out unless told to count them', async () => {
    const environment = new FaultEnvironment(new MemoryEnvironment(), { directory: '/db' })
    await work(environment.files)
    assert.deepEqual(
      environment.calls,
      CALLS.filter((line) => !line.startsWith('read')),
    )
  })

  const paths: [string, string | undefined, string][] = [
    ['/db/000001.log', undefined, '/db/000001.log'],
    ['/db/000001.log', '/db', '000001.log'],
    ['/db/000001.log', '/db/', '000001.log'],
    ['/dbx', '/db', '/dbx'],
    ['/db', '/db', ''],
  ]
  for (const [path, directory, expected] of paths) {
    it(`calls ${path} '${expected}' where the database is in ${directory}`, () => {
      const environment = new FaultEnvironment(new MemoryEnvironment(), directory === undefined ? {} : { directory })
      environment.files.status(path)
      assert.deepEqual(environment.calls, [`status ${expected}`.trim()])
    })
  }

  it('asks its predicate with index, operation and path of each call', async () => {
    const asked: FileCall[] = []
    const environment = new FaultEnvironment(new MemoryEnvironment(), {
      directory: '/db',
      countReads: true,
      faultAt: (call) => {
        asked.push(call)
        return undefined
      },
    })
    await work(environment.files)
    assert.deepEqual(
      asked.map(({ op, path }) => `${op} ${path}`.trim()),
      CALLS.map((line) => line.split(' ').slice(0, 2).join(' ')),
    )
    assert.deepEqual(
      asked.map(({ index }) => index),
      CALLS.map((_, index) => index),
    )
  })

  const codes: FaultCode[] = ['EIO', 'ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EACCES', 'EROFS', 'ESTALE']
  for (const [index, line] of CALLS.entries()) {
    const code = codes[index % codes.length]
    it(`makes '${line}' (call ${index}) fail with ${code}, and leaves no handle or lock behind`, async () => {
      const memory = new MemoryEnvironment()
      const environment = new FaultEnvironment(memory, {
        directory: '/db',
        countReads: true,
        faultAt: (call) => (call.index === index ? { code } : undefined),
      })
      await assert.rejects(
        work(environment.files),
        (error) => error instanceof IOError && systemErrorCode(error) === code && error.message.endsWith(`(${code})`),
      )
      assert.equal(environment.calls.at(-1), line)
      if (line === 'unlock') assert.equal(memory.files.locks.size, 0)
      if (line.startsWith('close')) assert.equal(memory.files.openCount, 0)
    })

    it(`lets nothing reach the files from '${line}' (call ${index}) on, once stopped before it`, async () => {
      const memory = new MemoryEnvironment()
      const environment = new FaultEnvironment(memory, { directory: '/db', countReads: true, stopAt: index })
      await assert.rejects(work(environment.files), CrashedError)
      assert.equal(environment.crashed, true)
      assert.deepEqual(environment.calls, CALLS.slice(0, index))
      const before = memory.paths()
      assert.throws(() => environment.files.createWritable('/db/late'), CrashedError)
      assert.throws(() => environment.files.makeDirectory('/late'), CrashedError)
      await assert.rejects(environment.files.lock('/db'), CrashedError)
      assert.deepEqual(memory.paths(), before)
    })
  }

  it('does not stop if the call is never reached', async () => {
    const environment = new FaultEnvironment(new MemoryEnvironment(), { countReads: true, stopAt: CALLS.length })
    await work(environment.files)
    assert.equal(environment.crashed, false)
  })

  for (const shortBytes of [undefined, 0, 1, 139, 140, 1000]) {
    it(`writes ${shortBytes ?? 'no'} bytes of an append that fails`, () => {
      const memory = new MemoryEnvironment()
      const environment = new FaultEnvironment(memory)
      const file = environment.files.createWritable('/a')
      file.append(BYTES, 0, 10)
      environment.setFaults(() => ({ code: 'ENOSPC', ...(shortBytes !== undefined && { shortBytes }) }))
      assert.throws(() => file.append(BYTES, 10, 130), IOError)
      environment.setFaults(undefined)
      assert.deepEqual(memory.readAll('/a'), BYTES.slice(0, 10 + Math.min(shortBytes ?? 0, 130)))
    })
  }

  it('loses by a failed sync what a later sync then only seems to save', async () => {
    for (const later of [false, true]) {
      const memory = new MemoryEnvironment()
      const environment = new FaultEnvironment(memory)
      const file = environment.files.createWritable('/a')
      environment.files.syncDirectory('/')
      file.append(BYTES, 0, 140)
      environment.setFaults((call) => (call.op === 'sync' ? { code: 'EIO' } : undefined))
      if (later) await assert.rejects(file.syncLater(), IOError)
      else assert.throws(() => file.sync(), IOError)
      environment.setFaults(undefined)
      file.sync()
      assert.equal(memory.readAll('/a').length, 140)
      assert.equal(memory.crashImage(0, new Prng(1)).readAll('/a').length, 0)
    }
  })

  it('tells nobody of a sync that ends after the crash, and runs no task of the dead', async () => {
    const memory = new MemoryEnvironment()
    const environment = new FaultEnvironment(memory)
    const file = environment.files.createWritable('/a')
    memory.holdSyncs()
    const synced = file.syncLater()
    environment.later(1, () => assert.fail('a timer of the dead'))
    environment.soon(() => assert.fail('a task of the dead'))
    environment.setStop(0)
    assert.throws(() => environment.files.list('/'), CrashedError)
    memory.releaseSyncs()
    memory.runTimers(10)
    await assert.rejects(synced, CrashedError)
    await new Promise((resolve) => setTimeout(resolve, 1))
  })

  it('ends the lock of a process that crashes', async () => {
    const memory = new MemoryEnvironment()
    const environment = new FaultEnvironment(memory)
    const lock = await environment.files.lock('/')
    environment.setStop(0)
    assert.throws(() => lock.release(), CrashedError)
    ;(await memory.files.lock('/')).release()
  })

  it('passes clock, randomness and timers through, and has no threads', () => {
    const memory = new MemoryEnvironment({ seed: 3 })
    const environment = new FaultEnvironment(memory)
    const ran: string[] = []
    assert.equal(environment.random32(), new MemoryEnvironment({ seed: 3 }).random32())
    environment.later(5, () => ran.push('timer'))
    environment.later(5, () => ran.push('cancelled'))()
    memory.runTimers(10)
    assert.deepEqual(ran, ['timer'])
    assert.equal(Math.floor(environment.clock.monotonicMs()), 10)
    assert.equal(environment.startWorker(), undefined)
  })
})
