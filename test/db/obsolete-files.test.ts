/** Which files are removed in the course of things, and that a removal that fails stops nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FileNumber, fileNumber } from '../../src/base/types.ts'
import type { Emit } from '../../src/db/events.ts'
import { ObsoleteFiles } from '../../src/db/obsolete-files.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { JobExecutor } from '../../src/worker/executor.ts'

interface Removal {
  readonly files: readonly (readonly string[])[]
  readonly end: (error: Error | undefined) => void
}

class Files {
  readonly removals: Removal[] = []
  readonly told: unknown[] = []
  changes = 0
  readonly obsolete: ObsoleteFiles

  constructor() {
    const executor = {
      start: ({ files }: Removal, outcome: (error: Error | undefined, result: unknown) => void) => {
        const end = (error: Error | undefined): void =>
          outcome(error, error === undefined ? { failures: [] } : undefined)
        this.removals.push({ files, end })
      },
    }
    const emit = ((name: string, { work, error }: Record<string, unknown>) => {
      this.told.push(name, work, error)
    }) as unknown as Emit
    const { files } = new MemoryEnvironment()
    this.obsolete = new ObsoleteFiles(
      files,
      '/db',
      undefined,
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
