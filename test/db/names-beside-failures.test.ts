/** Names that are made while a sync of the directory fails on another thread: see crash/lost-names.test.ts for whatever may overlap. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { Installer } from '../../src/db/background/installer.ts'
import { DatabaseDirectory } from '../../src/db/opening/database-directory.ts'
import { Health } from '../../src/db/reports/health.ts'
import { WriteAheadLog } from '../../src/db/write/write-ahead-log.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { VersionSet } from '../../src/version/version-set.ts'
import { ThreadEndedError } from '../../src/worker/executor.ts'
import { InlineExecutor } from '../../src/worker/inline-executor.ts'

interface Here {
  readonly memory: MemoryEnvironment
  readonly directory: DatabaseDirectory
}

function begin(): Here {
  const memory = new MemoryEnvironment()
  memory.files.makeDirectory('/db')
  return { memory, directory: new DatabaseDirectory(memory.files, '/db') }
}

/** An edit for which a new MANIFEST begins. */
function install({ memory, directory }: Here, switched: Error | undefined): { numbers: number[]; isPoisoned: boolean } {
  const versions = new VersionSet(memory.files, '/db', bytewiseComparator, undefined, 1)
  versions.startManifest({ logNumber: fileNumber(1), lastSequence: sequenceNumber(0) })
  const inline = new InlineExecutor(memory, bytewiseComparator)
  const executor: Pick<InlineExecutor, 'start'> = {
    start: (job, outcome) => {
      if (switched === undefined || job.kind !== 'sync' || job.step !== 'switch') inline.start(job, outcome)
      else outcome(switched, undefined)
    },
  }
  const health = new Health(() => {})
  const installer = new Installer(versions, directory, executor as InlineExecutor, health, () => {})
  const edit = { logNumber: fileNumber(1), compactPointers: [{ level: 1, key: new Uint8Array(2000) }] }
  const numbers: number[] = []
  for (let i = 0; i < 3; i++) {
    installer.install(
      () => edit,
      () => {},
      (error) => assert.equal(error, undefined),
    )
    numbers.push(versions.manifestNumber)
  }
  return { numbers, isPoisoned: health.isPoisoned }
}

test('a new MANIFEST whose name may be lost by the time that it is synced does not take the place of the other', () => {
  const here = begin()
  const { memory, directory } = here
  const { createWritable } = memory.files
  const begun: string[] = []
  memory.files.createWritable = (path) => {
    const file = createWritable.call(memory.files, path)
    if (/MANIFEST/.test(path) && begun.push(path) > 1) directory.syncs.failed()
    return file
  }
  const { numbers, isPoisoned } = install(here, undefined)
  assert.ok(begun.length > 1)
  assert.deepEqual([new Set(numbers).size, isPoisoned], [1, false])
})

test('CURRENT is switched here until no sync fails beside it', () => {
  const here = begin()
  const { memory, directory } = here
  const { syncDirectory, rename } = memory.files
  let left = 2
  let switches = 0
  memory.files.rename = (from, to) => {
    rename.call(memory.files, from, to)
    if (to === '/db/CURRENT') switches++
  }
  memory.files.syncDirectory = (path) => {
    syncDirectory.call(memory.files, path)
    // The first is that of the opening.
    if (switches > 1 && left-- > 0) directory.syncs.failed()
  }
  const { numbers } = install(here, new ThreadEndedError('the thread has died'))
  assert.equal(switches, 1 + 2 + new Set(numbers).size - 1, 'twice more')
})

test('a log that is created beside a failure counts as older than it', () => {
  const { memory, directory } = begin()
  const log = new WriteAheadLog(directory, false, () => fileNumber(9))
  const file = log.create(fileNumber(1))
  directory.syncs.failed()
  log.begin(file, sequenceNumber(1))
  log.syncNames()
  assert.equal(log.number, 9)
  assert.deepEqual(memory.paths(), ['/db/000009.log'])
  log.close()
})
