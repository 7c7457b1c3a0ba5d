/** What threads know of one another's syncs of the directory; that nothing is lost for it is for crash/lost-names.test.ts. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Environment } from '../../src/base/environment.ts'
import { IOError } from '../../src/base/errors.ts'
import { open } from '../../src/db/open.ts'
import { DatabaseDirectory } from '../../src/db/opening/database-directory.ts'
import { ioError, systemError } from '../../src/env/io-error.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { DirectorySyncs } from '../../src/worker/directory-syncs.ts'

/** Those of a database's thread, whose waits are told of: `waited` may end what is waited for. */
function syncsOf(waited: () => void = () => {}): { syncs: DirectorySyncs; waits: () => number } {
  let waits = 0
  const environment: Pick<Environment, 'waitWhile'> = {
    waitWhile: (words, index, value) => {
      waits++
      waited()
      return Atomics.load(words, index) === value
    },
  }
  return { syncs: new DirectorySyncs(environment), waits: () => waits }
}

test('a thread that syncs is waited for, and its failure counts before it has ended', () => {
  const failures: number[] = []
  const { syncs, waits } = syncsOf()
  const onThread = new DirectorySyncs(undefined, syncs.memory)
  assert.throws(
    () =>
      onThread.run(1, () => {
        failures.push(syncs.failures)
        assert.equal(syncs.settle(), false, 'it does not end by itself')
        throw new IOError('EIO')
      }),
    /EIO/,
  )
  onThread.run(0, () => failures.push(syncs.failures))
  assert.deepEqual([failures, syncs.settle(), waits()], [[0, 1], true, 1])
})

test('a thread that had no descriptor with which to sync has not failed to', () => {
  const { syncs } = syncsOf()
  assert.throws(() => syncs.run(0, () => assert.fail(ioError('open', '/db', systemError('EMFILE')))), /EMFILE/)
  assert.deepEqual([syncs.failures, syncs.settle()], [0, true])
})

test('a thread that dies in its sync counts as one that has failed, and is not waited for any more', () => {
  const { syncs } = syncsOf()
  syncs.threadEnded(0)
  assert.equal(syncs.failures, 0)
  syncs.begin(0)
  syncs.threadEnded(1)
  assert.deepEqual([syncs.failures, syncs.settle()], [0, false])
  syncs.threadEnded(0)
  assert.deepEqual([syncs.failures, syncs.settle()], [1, true])
})

/** Writes down what is said of syncs, in its order. */
class NotedSyncs extends DirectorySyncs {
  readonly said: string[] = []

  override failed(): void {
    this.said.push('failed')
    super.failed()
  }

  override end(thread: number): void {
    this.said.push(`ended ${thread}`)
    super.end(thread)
  }
}

test('that a sync has failed is said before it is said to have ended, by its thread, and for one that has died', () => {
  const syncs = new NotedSyncs()
  syncs.begin(1)
  syncs.threadEnded(1)
  assert.throws(() => syncs.run(0, () => assert.fail(new IOError('EIO'))), /EIO/)
  assert.deepEqual(syncs.said, ['failed', 'ended 1', 'failed', 'ended 0'])
})

test('whoever waits for a sync on either thread is woken when it ends', async () => {
  for (const thread of [0, 1]) {
    let woken: unknown
    const waitWhile: Environment['waitWhile'] = (words, index, value, timeoutMs) => {
      woken = Atomics.waitAsync(words, index, value, timeoutMs).value
      return true
    }
    const syncs = new DirectorySyncs({ waitWhile })
    syncs.begin(thread)
    assert.equal(syncs.settle(), false)
    syncs.end(thread)
    assert.equal(await woken, 'ok')
  }
})

test('names are made again for as long as syncs on other threads fail beside them, and not at all once one does not end', () => {
  let left = 3
  const { syncs } = syncsOf(() => {
    if (left-- > 1) syncs.failed()
    if (left >= 0) syncs.end(0)
  })
  const directory = new DatabaseDirectory(new MemoryEnvironment().files, '/db', undefined, syncs)
  let attempts = 0
  const attempt = (): void => {
    attempts++
    syncs.begin(0)
  }
  directory.makeDurable(attempt)
  assert.deepEqual([attempts, left], [3, 0])
  assert.throws(() => directory.makeDurable(attempt), { code: 'IO_ERROR', message: /does not end/ })
  assert.throws(() => syncs.run(1, () => {}), { code: 'IO_ERROR', message: /does not end/ })
})

test('names are made again if a sync on another thread fails while they are made', () => {
  const { syncs } = syncsOf()
  const directory = new DatabaseDirectory(new MemoryEnvironment().files, '/db', undefined, syncs)
  let attempts = 0
  directory.makeDurable(() => {
    if (++attempts === 1) syncs.failed()
  })
  assert.equal(attempts, 2)
})

test('a write to disk does not count on a sync beside which one on a worker thread fails, though nobody has told of it', async () => {
  const place = mkdtempSync(join(tmpdir(), 'varve-syncs-'))
  const path = join(place, 'db')
  const environment = nodeEnvironment({ worker: new URL('failing-sync.js', import.meta.url) })
  const db = await open(path, { environment, workers: 1, writeBufferBytes: 16_384 })
  const logs = (): string[] =>
    readdirSync(path)
      .filter((name) => name.endsWith('.log'))
      .sort()
  const syncDirectory = environment.files.syncDirectory.bind(environment.files)
  const synced: string[][] = []
  environment.files.syncDirectory = (directory) => {
    syncDirectory(directory)
    synced.push(logs())
    writeFileSync(join(place, 'synced'), '')
  }
  const value = new Uint8Array(6000)
  for (let i = 0; i < 4; i++) db.putSync(`key${i}`, value)
  while (!existsSync(join(place, 'begun'))) await sleep(5)
  db.putSync('key', 'value', { durability: 'disk' })
  const counted = logs().at(-1)
  assert.equal(synced.length, 2)
  assert.notEqual(synced[0].at(-1), counted, 'the name that may be lost')
  assert.equal(synced[1].at(-1), counted)
  await db.close().catch(() => {})
  rmSync(place, { recursive: true })
})
