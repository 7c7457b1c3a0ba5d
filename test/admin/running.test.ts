/**
 * verify, repair and restore while they run: where they can be ended, what they hold open, what fails only once, and what they need of
 * their host.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { destroy } from '../../src/admin/destroy.ts'
import { repair } from '../../src/admin/repair.ts'
import { restore } from '../../src/admin/restore.ts'
import { verify } from '../../src/admin/verify.ts'
import { IOError, VarveError } from '../../src/base/errors.ts'
import { tableName } from '../../src/base/filename.ts'
import { fileNumber } from '../../src/base/types.ts'
import { BackupEncoder } from '../../src/db/copies/backup-format.ts'
import type { DB } from '../../src/db/db.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import {
  DIRECTORY,
  type Directory,
  directoryOf,
  environmentOf,
  fingerprint,
  leftBy,
  openIn,
} from '../db/directories.ts'
import type { FaultPredicate } from '../support/fault-call.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { RememberingZstd } from '../support/remembering-zstd.ts'
import {
  added,
  BEGINNING,
  batchOf,
  databaseOf,
  type FileBytes,
  HandmadeTable,
  logOf,
  manifestOf,
  tableOf,
} from './handmade.ts'
import { contentIn } from './histories.ts'

type Files = Readonly<Record<string, FileBytes>>

/** An environment that looks at each call before it is made. */
function watched(memory: MemoryEnvironment, faultAt: FaultPredicate): FaultEnvironment {
  return new FaultEnvironment(memory, { directory: DIRECTORY, countReads: true, faultAt })
}

async function keysIn(memory: MemoryEnvironment): Promise<string> {
  return [...(await contentIn(memory)).keys()].join('')
}

test('the lock is checked before each step: nobody may take another directory for the one that was locked', async () => {
  const directory = await leftBy(async (db) => {
    for (let i = 0; i < 3; i++) await db.put(`key/${i}`, 'v').then(() => db.flush())
  })
  const memory = environmentOf(directory)
  const { lock } = memory.files
  let left = 2
  memory.files.lock = async (path) => {
    const held = await lock.call(memory.files, path)
    const check = (): void => {
      if (left-- === 0) throw new Error('it was moved')
    }
    return { check, release: () => held.release() }
  }
  await assert.rejects(verify(DIRECTORY, { environment: memory }), /it was moved/)
  assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0])
})

test('what the lock finds between two steps ends them, and is no damage of the table that is being read', async () => {
  const directory = await leftBy(async (db) => {
    for (let i = 0; i < 400; i++) await db.put(`key/${i}`, randomBytes(1000))
    await db.flush()
  })
  for (const call of [verify, repair]) {
    let checks: number
    let at = 0
    do {
      const memory = environmentOf(directory)
      const { lock } = memory.files
      checks = 0
      memory.files.lock = async (path) => {
        const held = await lock.call(memory.files, path)
        const check = (): void => {
          if (checks++ === at) throw new IOError('it was moved')
        }
        return { check, release: () => held.release() }
      }
      const told = await call(DIRECTORY, { environment: memory }).catch(({ message }: Error) => message)
      if (checks > at) assert.equal(told, 'it was moved')
      assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0])
    } while (checks > at++)
    assert.ok(at > 50, `${at} checks`)
  }
})

test('options that are no object are refused by every operation, and not a fault of its own', async () => {
  const none = null as unknown as object
  for (const call of [
    () => verify('d', none),
    () => repair('d', none),
    () => restore([], 'd', none),
    () => destroy('d', none),
  ])
    await assert.rejects(call(), { code: 'INVALID_ARGUMENT' }, call.toString())
  for (const options of [{ comparator: none }, { environment: none }])
    await assert.rejects(verify('d', options as object), { code: 'INVALID_ARGUMENT' }, Object.keys(options)[0])
})

test('a merge of many entries can be ended before its table is whole', async () => {
  const halves = [0, 1].map((half) =>
    leftBy(async (db) => {
      for (let i = half; i < 1200; i += 2) await db.put(`key/${1000 + i}`, 'v')
      await db.flush()
    }),
  )
  const tables = (await Promise.all(halves)).map((made) => [...made].find(([name]) => name.endsWith('.ldb'))![1])
  const files: Directory = new Map(tables.map((bytes, i) => [`00000${i + 1}.ldb`, bytes]))
  const memory = environmentOf(files)
  const aborter = new AbortController()
  const environment = watched(memory, ({ op }) => {
    // The new table is made with its first entry.
    if (op === 'create') aborter.abort()
    return undefined
  })
  await assert.rejects(repair(DIRECTORY, { environment, signal: aborter.signal }), { code: 'ABORTED' })
  assert.deepEqual(
    environment.calls.filter((call) => /^(create|sync) .*ldb/.test(call)),
    ['create 000003.ldb'],
  )
  assert.equal(fingerprint(directoryOf(memory)), fingerprint(files))
  assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0])
})

test('a merge has as many tables open as lie over one key', async () => {
  // Two runs: the one lies over the ends of the other's.
  const letters = ['abc', 'def', 'ghi', 'jkl', 'cd', 'fg', 'ij']
  const memory = environmentOf(new Map(letters.map((part, i) => [`00000${i + 1}.ldb`, tableOf(part)])))
  let most = 0
  const environment = watched(memory, () => {
    most = Math.max(most, memory.files.openCount)
    return undefined
  })
  await repair(DIRECTORY, { environment })
  assert.equal(most, 3, 'two, and the new one')
  assert.equal(await keysIn(memory), 'abcdefghijkl')
})

test('what fails in an order of keys, if only once, is not damage', async () => {
  const table = new HandmadeTable()
  table.data('ab')
  table.data('cd')
  const memory = environmentOf(new Map([['000005.ldb', table.finish()]]))
  let calls = 0
  const compare = (a: Uint8Array, b: Uint8Array): number => {
    if (calls++ === 0) throw new TypeError('it does not compare')
    return Buffer.compare(a, b)
  }
  const done = verify(DIRECTORY, { environment: memory, comparator: { name: 'test.Failing', compare } })
  await assert.rejects(done, new TypeError('it does not compare'))
})

test('a log is gone through in steps, by a repair and by a restore: both can be ended within it', async () => {
  const options = { writeBufferBytes: 16 * 1024 * 1024 }
  const fill = async (db: DB): Promise<void> => {
    for (let i = 0; i < 400; i++) await db.put(`key${i}`, 'v'.repeat(10_000))
  }
  const left = await leftBy(fill, options)
  const owner = await openIn(new MemoryEnvironment(), options)
  await fill(owner)
  const backup: Uint8Array[] = []
  for await (const chunk of owner.backup()) backup.push(chunk)
  await owner.close()
  const calls: readonly ((environment: FaultEnvironment, signal?: AbortSignal) => Promise<unknown>)[] = [
    (environment, signal) => repair(DIRECTORY, { environment, dryRun: true, ...(signal && { signal }) }),
    (environment, signal) => restore(backup, `${DIRECTORY}/new`, { environment, ...(signal && { signal }) }),
  ]
  for (const call of calls) {
    const readsOf = async (signal?: AbortSignal, onRead: () => void = () => {}): Promise<number> => {
      let reads = 0
      const environment = watched(environmentOf(left), ({ op, path }) => {
        if (op === 'read' && path.endsWith('.log') && ++reads === 2) onRead()
        return undefined
      })
      const done = call(environment, signal)
      await (signal === undefined ? done : assert.rejects(done, { code: 'ABORTED' }))
      return reads
    }
    const all = await readsOf()
    const aborter = new AbortController()
    const some = await readsOf(aborter.signal, () => aborter.abort())
    assert.ok(all > 5 && some < all / 2, `${some} of ${all}`)
  }
})

test('a log that the disk could not read once is no reason to repair', async () => {
  const files = databaseOf(manifestOf(BEGINNING), { '000007.log': logOf([batchOf('abc')]) })
  const memory = environmentOf(files)
  const before = fingerprint(directoryOf(memory))
  let reads = 0
  const environment = watched(memory, ({ op, path }) =>
    op === 'read' && path === '000007.log' && reads++ === 0 ? { code: 'EIO' } : undefined,
  )
  await assert.rejects(repair(DIRECTORY, { environment }), { code: 'IO_ERROR' })
  assert.equal(fingerprint(directoryOf(memory)), before)
})

test('a compression that the host has is read, by verify, and by a repair that merges', async () => {
  const table = new HandmadeTable()
  const zstd = new RememberingZstd()
  table.compressed('abcdefgh', { type: 2, compress: (contents) => zstd.compress(contents) })
  const bytes = table.finish()
  const manifest = manifestOf(BEGINNING, added(1, 5, bytes.length, 'a', 'h'))
  for (const codecs of [{ zstd }, {}]) {
    const memory = environmentOf(databaseOf(manifest, { '000005.ldb': bytes }))
    const environment = Object.assign(new FaultEnvironment(memory), { codecs })
    const { entries, findings } = await verify(DIRECTORY, { environment })
    assert.deepEqual([entries, findings.length], 'zstd' in codecs ? [8, 0] : [0, 1])
  }
  const memory = environmentOf(
    new Map([
      ['000005.ldb', bytes],
      ['000006.ldb', tableOf('cdz')],
    ]),
  )
  const environment = Object.assign(new FaultEnvironment(memory), { codecs: { zstd } })
  await repair(DIRECTORY, { environment })
  assert.equal(await keysIn(memory), 'abcdefghz')
})

function streamOf(files: Files): Uint8Array[] {
  const encoder = new BackupEncoder()
  const chunks: Uint8Array[] = [encoder.start()]
  for (const [name, bytes] of Object.entries(files)) {
    chunks.push(encoder.file(name, bytes.length))
    chunks.push(encoder.data(bytes.length, (record, offset) => record.set(bytes, offset)))
  }
  return [...chunks, encoder.end()].map((chunk) => chunk.slice())
}

const TABLES: Files = { '000005.ldb': tableOf('abc'), '000006.ldb': tableOf('def') }
const BACKUP = streamOf({
  ...TABLES,
  'MANIFEST-000090': manifestOf(
    BEGINNING,
    added(1, 5, TABLES['000005.ldb'].length, 'a', 'c'),
    added(1, 6, TABLES['000006.ldb'].length, 'd', 'f'),
  ),
})

test('a restore tells after each chunk which file it is at, and how many bytes there were', async () => {
  const memory = new MemoryEnvironment()
  const seen: string[] = []
  const info = await restore(BACKUP, DIRECTORY, {
    environment: memory,
    onProgress: ({ file, bytes, totalBytes }) => {
      seen.push(`${file} ${bytes}/${totalBytes}`)
      memory.clock.advance(1000)
    },
  })
  let bytes = 0
  const sums = BACKUP.map((chunk) => (bytes += chunk.length))
  const names = [
    '',
    '000005.ldb',
    '000005.ldb',
    '000006.ldb',
    '000006.ldb',
    'MANIFEST-000090',
    'MANIFEST-000090',
    'MANIFEST-000090',
  ]
  assert.deepEqual(
    seen,
    names.map((name, i) => `${name} ${sums[i]}/0`),
  )
  assert.deepEqual(info, { directory: DIRECTORY, files: 3, bytes, lastSequence: 26 })
})

test('a restore can be ended while it looks at its tables, and leaves nothing then', async () => {
  const memory = new MemoryEnvironment()
  const aborter = new AbortController()
  const environment = watched(memory, ({ op, path }) => {
    if (op === 'status' && path === '000006.ldb') aborter.abort()
    return undefined
  })
  await assert.rejects(restore(BACKUP, DIRECTORY, { environment, signal: aborter.signal }), { code: 'ABORTED' })
  assert.deepEqual(memory.files.list(DIRECTORY), ['LOCK'])
})

/** A source whose iterator is written by hand, as `for await` takes it: an answer need be no promise. */
function sourceOf(iterator: { next(): unknown; return?(): unknown }): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => iterator } as unknown as AsyncIterable<Uint8Array>
}

for (const [what, answer] of [
  ['answers that with no promise', () => undefined],
  [
    'throws at that',
    () => {
      throw new Error('of no interest')
    },
  ],
] as const) {
  test(`a restore that is aborted ends its source, which ${what}`, async () => {
    const environment = new MemoryEnvironment()
    const aborter = new AbortController()
    let ended = 0
    const source = sourceOf({
      next: () => {
        setImmediate(() => aborter.abort())
        return new Promise(() => {})
      },
      return: () => {
        ended++
        return answer()
      },
    })
    await assert.rejects(restore(source, DIRECTORY, { environment, signal: aborter.signal }), { code: 'ABORTED' })
    assert.equal(ended, 1)
    assert.deepEqual(environment.files.list(DIRECTORY), ['LOCK'])
  })
}

test('a source that answers with no promises is restored, whether that can be aborted or not', async () => {
  for (const signal of [undefined, new AbortController().signal]) {
    const environment = new MemoryEnvironment()
    const chunks = BACKUP[Symbol.iterator]()
    await restore(sourceOf({ next: () => chunks.next() }), DIRECTORY, { environment, signal })
    assert.equal((await keysIn(environment)).length > 0, true)
  }
})

test('a restore closes each file once, whatever fails, and touches no directory that is not empty', async () => {
  for (let at = 0; ; at++) {
    const environment = watched(new MemoryEnvironment(), ({ index }) => (index === at ? { code: 'EIO' } : undefined))
    await restore(BACKUP, DIRECTORY, { environment }).catch((error: unknown) => assert.ok(error instanceof VarveError))
    const opened = environment.calls.filter((call) => /^(create|open) /.test(call)).length
    const closed = environment.calls.filter((call) => call.startsWith('close ')).length
    assert.ok(closed <= opened, environment.calls[at])
    if (environment.callCount <= at) break
  }
  const taken = new MemoryEnvironment()
  taken.write(`${DIRECTORY}/mine`, Uint8Array.of(1))
  await assert.rejects(restore(BACKUP, DIRECTORY, { environment: taken }), { code: 'ALREADY_EXISTS' })
  assert.deepEqual(taken.files.list(DIRECTORY), ['mine'])
})

test('the number of a file may be as large as any that counts', async () => {
  const last = 2 ** 52
  const memory = environmentOf(
    new Map([
      [`${last}.ldb`, tableOf('abc')],
      [`${last + 1}.log`, logOf([batchOf('xyz')])],
    ]),
  )
  const { lastSequence } = await repair(DIRECTORY, { environment: memory })
  assert.equal(lastSequence, 26)
  const names = memory.files.list(DIRECTORY).filter((name) => name.startsWith('MANIFEST'))
  assert.deepEqual(names, [`MANIFEST-${last + 3}`])
  assert.equal(fileNumber(last), last)
  assert.equal(await keysIn(memory), 'abcxyz')
})

for (const isSticky of [false, true]) {
  test(`verify finds no damage for want of descriptors, ${isSticky ? 'from then on' : 'once'}`, async () => {
    const memory = environmentOf(
      await leftBy(async (db) => {
        await db.put('a', '1')
        await db.flush()
        await db.put('b', '2')
      }),
    )
    let refused = 0
    for (let call = 0; ; call++) {
      let opened = 0
      const environment = watched(memory, ({ op }) => {
        if (op !== 'open') return undefined
        const isHit = isSticky ? opened >= call : opened === call
        opened++
        return isHit ? { code: 'EMFILE' } : undefined
      })
      try {
        const { findings } = await verify(DIRECTORY, { environment })
        assert.deepEqual(findings, [], `call ${call}`)
      } catch (error) {
        assert.equal((error as VarveError).code, 'IO_ERROR', `call ${call}: ${(error as Error).message}`)
        refused++
      }
      if (opened <= call) break
    }
    assert.ok(refused > 3, `${refused} refused`)
  })
}

test('a repair goes through a directory of more files than a call takes arguments', async () => {
  const memory = environmentOf(
    await leftBy(async (db) => {
      await db.put('a', '1')
      await db.flush()
    }),
  )
  const { files } = memory
  for (let number = 1000; number < 151_000; number++) {
    files.createWritable(files.join(DIRECTORY, tableName(fileNumber(number)))).close()
  }
  const report = await repair(DIRECTORY, { environment: memory, dryRun: true })
  assert.deepEqual([report.isNeeded, report.givenUp], [false, []])
  files.remove(files.join(DIRECTORY, 'CURRENT'))
  const { levels, isNeeded } = await repair(DIRECTORY, { environment: memory })
  assert.deepEqual([levels, isNeeded, await keysIn(memory)], ['kept', true, 'a'])
})

test('once another directory may lie at its path, nothing is removed of what a repair or a restore has made there', async () => {
  const directory = await leftBy(async (db) => {
    for (const value of ['1', '2']) {
      for (let i = 0; i < 400; i++) await db.put(`key/${i}`, value.repeat(i))
      await db.flush()
    }
  })
  const chunks = await backupOf(directory)
  const tables = new Map([...directory].filter(([name]) => name.endsWith('.ldb')))
  const calls: [Directory, (environment: MemoryEnvironment) => Promise<unknown>][] = [
    [tables, (environment) => repair(DIRECTORY, { environment })],
    [new Map(), (environment) => restore(chunks, DIRECTORY, { environment })],
  ]
  for (const [before, call] of calls) {
    let made = 0
    let isDone = false
    for (let at = 0; !isDone; at++) {
      const memory = environmentOf(before)
      const { lock, remove } = memory.files
      let checks = 0
      memory.files.lock = async (path) => {
        const held = await lock.call(memory.files, path)
        const check = (): void => {
          if (++checks > at) throw new IOError('it was moved')
        }
        return { check, release: () => held.release() }
      }
      const removed: string[] = []
      memory.files.remove = (path) => {
        if (checks > at) removed.push(path)
        remove.call(memory.files, path)
      }
      isDone = await call(memory).then(
        () => true,
        ({ message }: Error) => {
          assert.equal(message, 'it was moved')
          return false
        },
      )
      assert.deepEqual([removed, memory.files.openCount, memory.files.locks.size], [[], 0, 0])
      if (!isDone) made = Math.max(made, directoryOf(memory).size - before.size)
    }
    assert.ok(made > 0)
  }
})

async function backupOf(directory: Directory): Promise<Uint8Array[]> {
  const db = await openIn(environmentOf(directory))
  const chunks: Uint8Array[] = []
  for await (const chunk of db.backup()) chunks.push(chunk)
  await db.close()
  return chunks
}
