/**
 * Tables that a compaction wrote are opened before reads need them: when, how many, and who does not wait for it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { IOError } from '../../src/base/errors.ts'
import { type FileNumber, fileNumber } from '../../src/base/types.ts'
import { TableCache } from '../../src/cache/table-cache.ts'
import { Background } from '../../src/db/background.ts'
import type { CompactionHost, CompactionLane } from '../../src/db/compaction-lane.ts'
import type { DB } from '../../src/db/db.ts'
import type { FlushHost } from '../../src/db/flush-lane.ts'
import type { Done } from '../../src/db/installer.ts'
import type { Options } from '../../src/db/options.ts'
import { TableWarmer, worthOpening } from '../../src/db/table-warmer.ts'
import { FaultEnvironment } from '../../src/env/fault-env.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { CompactionResult } from '../../src/jobs/compaction-job.ts'
import { Table } from '../../src/table/table.ts'
import type { Compaction } from '../../src/version/compaction.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import type { JobExecutor } from '../../src/worker/executor.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, bytesOf } from '../table/entries.ts'
import { DIRECTORY, openIn } from './directories.ts'

const READING = { comparator: bytewiseComparator, filterPolicy: undefined, blockCache: undefined, codecs: {} }
const EMPTY = buildTable([], {
  comparator: bytewiseComparator,
  blockBytes: 4096,
  restartInterval: 16,
  filterPolicy: undefined,
})

/** The event loop turns when it is told to. */
class Turns extends MemoryEnvironment {
  #tasks: (() => void)[] = []

  override soon(task: () => void): void {
    this.#tasks.push(task)
  }

  turn(): void {
    for (const task of this.#tasks.splice(0)) task()
  }
}

/** A cache of empty tables, in which those of some numbers cannot be opened. */
function cacheOf({ maxOpenFiles = 100, bytesMax = 1e6, broken = [] as readonly number[] } = {}): TableCache {
  const open = (number: FileNumber): Table => {
    if (broken.includes(number)) throw new IOError(`no table ${number}`)
    return Table.open(new MemoryFile(EMPTY), number, READING)
  }
  return new TableCache(open, maxOpenFiles, bytesMax)
}

function file(number: number): FileMetadata {
  return { number: fileNumber(number), bytes: EMPTY.length, smallest: bytesOf('a'), largest: bytesOf('b') }
}

/** Table 1 is not among them. */
const FILES = [2, 3, 4, 5].map(file)

function openNumbers(tables: TableCache): number[] {
  return [file(1), ...FILES].map(({ number }) => number).filter((number) => tables.isOpen(number))
}

interface Warming {
  readonly environment: Turns
  readonly warmer: TableWarmer
  /** How often it told that it is over. */
  doneCount(): number
}

function warm(tables: TableCache, files: readonly FileMetadata[]): Warming {
  const environment = new Turns()
  let doneCount = 0
  const warmer = new TableWarmer(environment, tables, files, () => {
    doneCount++
  })
  warmer.start()
  return { environment, warmer, doneCount: () => doneCount }
}

test('one table is opened a turn, and after the last one it is over', () => {
  const tables = cacheOf()
  const { environment, doneCount } = warm(tables, FILES)
  const seen: [number, number][] = []
  for (let i = 0; i < 6; i++) {
    seen.push([tables.openCount, doneCount()])
    environment.turn()
  }
  assert.deepEqual(seen, [
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 1],
    [4, 1],
  ])
})

test('with nothing to open it is over at once', () => {
  assert.equal(warm(cacheOf(), []).doneCount(), 1)
})

for (const [what, budget] of [
  ['descriptors', { maxOpenFiles: 3 }],
  ['memory', { bytesMax: 3.9 * warmed([file(1)]).bytes }],
] as const) {
  test(`no table is closed for one that is opened ahead: as many are opened as there are ${what}`, () => {
    const tables = cacheOf(budget)
    tables.find(fileNumber(1), EMPTY.length)
    const { environment, doneCount } = warm(tables, FILES)
    for (let i = 0; i < 6; i++) environment.turn()
    assert.deepEqual(openNumbers(tables), [1, 2, 3])
    assert.equal(doneCount(), 1)
  })
}

/** A cache in which these are open. */
function warmed(files: readonly FileMetadata[]): TableCache {
  const tables = cacheOf()
  for (const { number, bytes } of files) tables.find(number, bytes)
  return tables
}

test('when it is ended, turns that were asked for open nothing', () => {
  const tables = cacheOf()
  const { environment, warmer, doneCount } = warm(tables, FILES)
  environment.turn()
  warmer.finish()
  warmer.finish()
  assert.equal(doneCount(), 1)
  for (let i = 0; i < 6; i++) environment.turn()
  assert.deepEqual([openNumbers(tables), doneCount()], [[2], 1])
})

test('a poll every turn lets it go on, and two in one turn end it', () => {
  const tables = cacheOf()
  const { environment, warmer, doneCount } = warm(tables, FILES)
  for (let i = 0; i < 2; i++) {
    warmer.poll()
    assert.equal(doneCount(), 0)
    environment.turn()
  }
  warmer.poll()
  warmer.poll()
  assert.deepEqual([openNumbers(tables), doneCount()], [[2, 3], 1])
})

test('a table that cannot be opened is left out', () => {
  const tables = cacheOf({ broken: [2, 4] })
  const { environment, doneCount } = warm(tables, FILES)
  for (let i = 0; i < 4; i++) environment.turn()
  assert.deepEqual([openNumbers(tables), tables.openCount, doneCount()], [[3, 5], 2, 1])
})

test('as many outputs are worth opening as inputs are open', () => {
  const inputs = [10, 11, 12, 13, 14, 15].map(file)
  const wanted = [0, 1, 3, 6].map((count) => worthOpening(warmed(inputs.slice(0, count)), inputs, FILES))
  assert.deepEqual(wanted, [[], FILES.slice(0, 1), FILES.slice(0, 3), FILES])
})

const COMPACTION: Compaction = {
  reason: 'level0-tables',
  level: 0,
  outputLevel: 1,
  upper: [file(1)],
  lower: [],
  grandparents: [],
  isTrivialMove: false,
  pointer: undefined,
  hint: undefined,
}
const RESULT: CompactionResult = {
  kind: 'compact',
  outputs: FILES,
  bytesRead: 0,
  bytesWritten: 0,
  entriesRead: 0,
  entriesWritten: 0,
}

interface Lane {
  readonly environment: Turns
  readonly tables: TableCache
  readonly background: Background
  readonly lane: CompactionLane
  readonly installed: Done[]
}

/** A lane whose only compaction has just been done, and whose outputs are to be opened: of four inputs, four are open. */
function doneLane(before: (lane: CompactionLane) => void = () => {}): Lane {
  const environment = new Turns()
  const inputs = [1, 11, 12, 13].map(file)
  const tables = warmed(inputs)
  const installed: Done[] = []
  const picked: Compaction[] = [{ ...COMPACTION, upper: inputs }]
  const host: Partial<FlushHost> & CompactionHost = {
    environment,
    tables,
    emit: () => {},
    busy: new Set(),
    isWritable: true,
    oldestImmutable: () => undefined,
    pickCompaction: () => picked.pop(),
    compactionJob: () => ({}) as never,
    installCompaction: (_compaction, _outputs, done) => {
      installed.push(done)
    },
  }
  let answer = (): void => assert.fail('no job was started')
  const executor: JobExecutor = {
    start: (_job, outcome) => {
      answer = () => outcome(undefined, RESULT as never)
    },
    poll: () => false,
    waitSync: () => assert.fail('there is something to do'),
    close: () => Promise.resolve(),
  }
  const background = new Background(host as FlushHost & CompactionHost, executor)
  background.schedule()
  before(background.compactions)
  answer()
  return { environment, tables, background, lane: background.compactions, installed }
}

test('outputs are open when they are installed, and the compaction is under way until then', () => {
  const { environment, tables, lane, installed } = doneLane()
  for (let i = 0; i < 3; i++) environment.turn()
  assert.deepEqual([lane.isRunning, installed.length, openNumbers(tables)], [true, 0, [1, 2, 3, 4]])
  environment.turn()
  assert.deepEqual([installed.length, openNumbers(tables)], [1, [1, 2, 3, 4, 5]])
  installed[0](undefined)
  assert.deepEqual([lane.isRunning, lane.figures.compactions], [false, 1])
})

test('what is opened is closed if the compaction is not installed after all', () => {
  const { environment, tables, lane, installed } = doneLane()
  for (let i = 0; i < 4; i++) environment.turn()
  installed[0](new IOError('no MANIFEST'))
  assert.deepEqual([openNumbers(tables), tables.openCount, lane.retry.failure?.message], [[1], 4, 'no MANIFEST'])
})

test('who sleeps has the compaction installed at once', () => {
  const { environment, tables, background, installed } = doneLane()
  environment.turn()
  background.waitSync(1000)
  for (let i = 0; i < 6; i++) environment.turn()
  assert.deepEqual([installed.length, openNumbers(tables)], [1, [1, 2]])
})

test('a lane that takes up nothing any more installs at once; one that is closed installs and opens nothing', () => {
  const before = doneLane((lane) => lane.end())
  const after = doneLane()
  after.lane.end()
  assert.deepEqual([before.installed.length, after.installed.length], [1, 1])
  const closed = doneLane()
  closed.environment.turn()
  closed.lane.close()
  for (let i = 0; i < 6; i++) closed.environment.turn()
  assert.deepEqual([closed.installed.length, openNumbers(closed.tables)], [0, [1, 2]])
})

// With a database.

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function key(i: number): string {
  return `k${String(i).padStart(6, '0')}`
}

interface Loaded {
  readonly memory: MemoryEnvironment
  readonly environment: FaultEnvironment
  readonly db: DB
  /** Ask every table for something, in one turn. */
  read(): void
}

const COUNT = 3000
const SMALL: Options = { writeBufferBytes: 2 ** 20, maxFileBytes: 8192, compression: 'none' }

/** Some twenty tables of level 1, and two that overlap them in level 0. */
async function loaded(options: Options = {}): Promise<Loaded> {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY, countReads: true })
  const db = await openIn(memory, { ...SMALL, environment, ...options })
  const write = (value: string): void => {
    for (let i = 0; i < COUNT; i++) db.putSync(key(i), value)
  }
  write('first'.repeat(10))
  await db.compactRange()
  for (const value of ['second', 'third']) {
    write(value.repeat(10))
    await db.flush()
  }
  const read = (): void => {
    for (let i = 0; i < COUNT; i += 5) assert.ok(db.getSync(key(i)) !== undefined)
  }
  return { memory, environment, db, read }
}

/** The numbers of the tables that these calls open, in their order. */
function opened(calls: readonly string[]): number[] {
  return calls.filter((call) => /^open .*\.ldb$/.test(call)).map((call) => Number.parseInt(call.slice(5), 10))
}

function numbersOf(db: DB): Set<number> {
  return new Set(db.stats().tables.map(({ number }) => number))
}

/** Until the compaction under way has written all that it will, and some of it has been opened. */
async function untilWarming({ db, environment }: Loaded): Promise<void> {
  const inputs = numbersOf(db)
  environment.takeCalls()
  while (!opened(environment.calls).some((number) => !inputs.has(number))) await turn()
  assert.deepEqual(numbersOf(db), inputs, 'it is not installed')
}

test('after a compaction, reads of one turn find its outputs open', async () => {
  const { db, environment, read } = await loaded()
  for (const _ of db.scanSync());
  environment.takeCalls()
  await db.compactRange()
  const calls = environment.takeCalls()
  const outputs = numbersOf(db)
  const installed = calls.findIndex((call) => call.startsWith('append MANIFEST'))
  const ahead = opened(calls.slice(0, installed)).filter((number) => outputs.has(number))
  assert.ok(outputs.size > 10, `${outputs.size} outputs`)
  assert.deepEqual(new Set(ahead), outputs)
  read()
  assert.deepEqual(opened(environment.takeCalls()), [])
  await db.close()
})

test('where nobody reads, nothing is opened ahead', async () => {
  const { db, environment, read } = await loaded()
  environment.takeCalls()
  await db.compactRange()
  const outputs = numbersOf(db)
  assert.deepEqual(
    opened(environment.takeCalls()).filter((number) => outputs.has(number)),
    [],
  )
  assert.equal(db.stats().tableCache.open, 0)
  read()
  assert.equal(db.stats().tableCache.open, outputs.size)
  await db.close()
})

test('closing while outputs are opened keeps the compaction, and no table open', async () => {
  const here = await loaded()
  const { db, memory } = here
  for (const _ of db.scanSync());
  const compacted = db.compactRange().catch((error: { code: string }) => error.code)
  await untilWarming(here)
  await db.close()
  assert.equal(await compacted, 'CLOSED')
  assert.deepEqual([memory.files.locks.size, memory.files.openCount], [0, 0])
  const again = await openIn(memory)
  const { tables, levels } = again.stats()
  assert.deepEqual([levels[0].tables, levels[1].tables], [0, tables.length])
  assert.equal(memory.paths().filter((path) => path.endsWith('.ldb')).length, tables.length)
  assert.equal(Array.from(again.scanSync()).length, COUNT)
  await again.close()
})

for (const op of ['open', 'read'] as const) {
  test(`an error in the ${op} of a table ahead of time is nobody's but of the read that needs the table`, async () => {
    const { db, environment, memory, read } = await loaded()
    for (const _ of db.scanSync());
    const inputs = numbersOf(db)
    const others = memory.files.openCount - db.stats().tableCache.open
    environment.setFaults((call) => {
      const number = /\.ldb$/.test(call.path) ? Number.parseInt(call.path, 10) : 0
      return call.op === op && number > Math.max(...inputs) ? { code: 'EMFILE' } : undefined
    })
    const errors: unknown[] = []
    db.on('background-error', (detail) => errors.push(detail))
    db.on('error', (detail) => errors.push(detail))
    await db.compactRange()
    assert.equal(
      [...inputs].some((number) => numbersOf(db).has(number)),
      false,
    )
    assert.deepEqual([db.stats().tableCache.open, memory.files.openCount], [0, others])
    assert.throws(read, { code: 'IO_ERROR' })
    environment.setFaults(undefined)
    read()
    assert.deepEqual(errors, [])
    await db.close()
    assert.equal(memory.files.openCount, 0)
  })
}

for (const isStop of [false, true]) {
  test(`a synchronous writer that is ${isStop ? 'stopped' : 'slowed down'} gets its compaction without a turn of the event loop`, async () => {
    const pressure = isStop
      ? { level0CompactionTrigger: 3, level0SlowdownTrigger: 4, level0StopTrigger: 4 }
      : { level0CompactionTrigger: 3, level0SlowdownTrigger: 3, level0StopTrigger: 40 }
    const { db } = await loaded({ ...pressure, stallTimeoutMs: 1000 })
    for (const _ of db.scanSync());
    const { compactions } = db.stats()
    assert.equal(db.stats().levels[0].tables, 2)
    for (let i = 0; db.stats().compactions === compactions; i++) {
      assert.ok(i < 30_000, 'no compaction is installed')
      db.putSync(key(i % COUNT), 'v'.repeat(1000))
      if (i % 1000 === 0) for (const _ of db.keysSync());
    }
    await db.close()
  })
}
