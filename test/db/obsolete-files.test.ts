/** Which files are removed in the course of things, and that a removal that fails stops nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DirectoryLock, FileSystem } from '../../src/base/environment.ts'
import { IOError, toWire } from '../../src/base/errors.ts'
import { type FileNumber, fileNumber } from '../../src/base/types.ts'
import { ObsoleteFiles } from '../../src/db/background/obsolete-files.ts'
import { DatabaseDirectory } from '../../src/db/opening/database-directory.ts'
import type { Emit } from '../../src/db/reports/events.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { JobExecutor } from '../../src/worker/executor.ts'

interface Removal {
  readonly files: readonly (readonly string[])[]
  readonly end: (error: Error | undefined, failures?: readonly Error[]) => void
}

class Files {
  readonly removals: Removal[] = []
  readonly told: unknown[] = []
  changes = 0
  readonly obsolete: ObsoleteFiles

  constructor(files: FileSystem = new MemoryEnvironment().files, lock?: DirectoryLock) {
    const executor = {
      start: ({ files }: Removal, outcome: (error: Error | undefined, result: unknown) => void) => {
        const end: Removal['end'] = (error, failures = []) =>
          outcome(error, error === undefined ? { failures: failures.map(toWire) } : undefined)
        this.removals.push({ files, end })
      },
    }
    const emit = ((name: string, { work, error }: Record<string, unknown>) => {
      this.told.push(name, work, error)
    }) as unknown as Emit
    this.obsolete = new ObsoleteFiles(
      new DatabaseDirectory(files, '/db', lock),
      executor as unknown as JobExecutor,
      emit,
      () => this.changes++,
    )
  }

  /** The first name of each file of the removals that have been asked for since. */
  taken(): string[] {
    return this.removals.splice(0).flatMap(({ files }) => files.map(([name]) => name))
  }
}

const numbers = (...all: number[]): FileNumber[] => all.map(fileNumber)

test('a dropped table goes once nobody needs it, and once', () => {
  const files = new Files()
  const { obsolete } = files
  const evicted: number[] = []
  const remove = (...live: number[]): void =>
    obsolete.removeDropped(new Set(numbers(...live)), (number) => evicted.push(number))
  assert.equal(obsolete.hasDropped, false)
  obsolete.drop(numbers(5, 6))
  remove(5, 6, 7)
  assert.deepEqual([files.taken(), evicted, obsolete.hasDropped], [[], [], true])
  remove(6, 7)
  assert.deepEqual([files.taken(), evicted, obsolete.hasDropped], [['/db/000005.ldb'], [5], true])
  remove()
  assert.deepEqual([files.taken(), evicted, obsolete.hasDropped], [['/db/000006.ldb'], [5, 6], false])
  remove()
  assert.deepEqual(files.taken(), [])
})

test('removals are under way until the last of them has ended, however it ends, and an error is told', () => {
  const files = new Files()
  const { obsolete } = files
  obsolete.removeLogs([])
  assert.equal(obsolete.isRemoving, false)
  obsolete.removeLogs(numbers(3))
  obsolete.removeLogs(numbers(4))
  const [first, second] = files.removals
  const died = new Error('the thread has died')
  first.end(died)
  assert.deepEqual([files.told, obsolete.isRemoving, files.changes], [['background-error', 'removal', died], true, 0])
  second.end(undefined)
  assert.deepEqual([files.told.length, obsolete.isRemoving, files.changes], [3, false, 1])
})

test('a table is removed though what it leaves behind in a cache cannot be', () => {
  const files = new Files()
  files.obsolete.drop(numbers(5, 6))
  const error = new Error('cannot close')
  files.obsolete.removeDropped(new Set(), (number) => {
    if (number === 5) throw error
  })
  assert.deepEqual(files.taken(), ['/db/000005.ldb', '/db/000006.ldb'])
  assert.deepEqual(files.told, ['background-error', 'removal', error])
})

test('each file that could not be removed is told, though the job went well', () => {
  const files = new Files()
  files.obsolete.removeLogs(numbers(3, 4, 5))
  files.removals[0].end(undefined, [new IOError('3 stays'), new IOError('5 stays')])
  assert.deepEqual(
    files.told.map((part) => (part instanceof Error ? `${part.name}: ${part.message}` : part)),
    ['background-error', 'removal', 'IOError: 3 stays', 'background-error', 'removal', 'IOError: 5 stays'],
  )
  assert.deepEqual([files.obsolete.isRemoving, files.changes], [false, 1])
})

/** What a directory holds, and whether it stays. */
const NAMES: readonly (readonly [name: string, stays: boolean])[] = [
  ['000003.log', false],
  ['000004.log', true],
  ['000005.log', true],
  ['3.log', true],
  ['000007.ldb', true],
  ['000008.ldb', false],
  ['000009.sst', false],
  ['MANIFEST-000001', false],
  ['MANIFEST-000002', true],
  ['MANIFEST-000010', true],
  ['000011.dbtmp', false],
  ['CURRENT', true],
  ['LOCK', true],
  ['LOG', true],
  ['notes.txt', true],
]
const LIVE = { tables: new Set(numbers(7)), logNumber: fileNumber(4), manifest: fileNumber(2) }

function directory(): FileSystem {
  const { files } = new MemoryEnvironment()
  files.makeDirectory('/db')
  for (const [name] of NAMES) files.createWritable(`/db/${name}`).close()
  return files
}

test('a sweep removes what the MANIFEST has let go of, and nothing that it never had', () => {
  const system = directory()
  const files = new Files(system)
  files.obsolete.sweep(LIVE)
  const staying = NAMES.filter(([, stays]) => stays).map(([name]) => name)
  assert.deepEqual([system.list('/db').sort(), files.told], [staying.sort(), []])
})

test('a sweep goes on behind a file that cannot be removed, and tells of it', () => {
  const system = directory()
  const error = new IOError('it stays')
  const remove = system.remove.bind(system)
  system.remove = (path) => {
    if (path === '/db/000008.ldb') throw error
    remove(path)
  }
  const files = new Files(system)
  files.obsolete.sweep(LIVE)
  const staying = NAMES.filter(([name, stays]) => stays || name === '000008.ldb').map(([name]) => name)
  assert.deepEqual([system.list('/db').sort(), files.told], [staying.sort(), ['background-error', 'removal', error]])
})

test('nothing is removed of a directory that is not the one that was opened', () => {
  const system = directory()
  const error = new IOError('it is another directory')
  const check = (): never => {
    throw error
  }
  const files = new Files(system, { check, release: () => {} })
  files.obsolete.sweep(LIVE)
  files.obsolete.removeLogs(numbers(3))
  files.obsolete.removeManifest(fileNumber(1))
  const told = ['background-error', 'removal', error]
  assert.deepEqual([files.removals.length, files.told], [0, [...told, ...told, ...told]])
  assert.deepEqual([system.list('/db').length, files.obsolete.isRemoving, files.changes], [NAMES.length, false, 0])
})
