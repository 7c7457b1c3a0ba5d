/**
 * Compactions and flushes side by side: on one worker thread, on two, and inline; given up, and failing. The threads and
 * the files are real ones where it says so.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import type { Environment } from '../../src/base/environment.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { type FileNumber, fileNumber, MAX_SEQUENCE } from '../../src/base/types.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import type { CompactionJob, CompactionResult } from '../../src/jobs/compaction-job.ts'
import type { FlushJob } from '../../src/jobs/flush-job.ts'
import type { Opened } from '../../src/jobs/written-tables.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { Table } from '../../src/table/table.ts'
import { openTableFile } from '../../src/table/table-file.ts'
import type { TableOutline } from '../../src/table/table-outline.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { FileNumbers } from '../../src/version/file-numbers.ts'
import type { JobExecutor } from '../../src/worker/executor.ts'
import { InlineExecutor } from '../../src/worker/inline-executor.ts'
import { JobRunner } from '../../src/worker/job-runner.ts'
import { WorkerExecutor } from '../../src/worker/worker-executor.ts'
import { DIRECTORY, entryCount, FORMAT, jobOf, placeTable } from '../jobs/compactions.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { bytesOf, putEntry } from '../table/entries.ts'

/** Entries of 1 KiB each: a slice is about a thousand of them. */
const VALUE = bytesOf('v'.repeat(1000))
const INPUT = '000001.ldb'

/** A table of so many KiB in the memory. */
function jobInMemory(memory: MemoryEnvironment, count: number, numbers: FileNumbers, table = 1): CompactionJob {
  const entries = Array.from({ length: count }, (_, i) => putEntry(bytesOf(String(i).padStart(8, '0')), 1, VALUE))
  const upper = [placeTable(memory, table, entries)]
  return jobOf({ upper, numbers: numbers.share(), maxFileBytes: 500_000 })
}

function flushOf(directory: string, numbers: FileNumbers): FlushJob {
  const memtable = MemTable.create({ capacityBytes: 1 << 20 })
  memtable.put('key', 'value')
  memtable.freeze()
  const number = numbers.take()
  return { kind: 'flush', below: [], directory, number, memtable: memtable.share(), format: FORMAT, outlineBytesMax: 0 }
}

interface Setting {
  readonly environment: Environment
  readonly executor: JobExecutor
  readonly directory: string
  readonly numbers: FileNumbers
  readonly job: CompactionJob
  readonly threads: () => number
  list(): string[]
}

/** Real threads, real files, and a job of so many KiB. */
function onThreads(t: TestContext, threads: number, count: number): Setting {
  const directory = mkdtempSync(join(tmpdir(), 'varve-compaction-'))
  const node = nodeEnvironment()
  let started = 0
  const environment: Environment = {
    files: node.files,
    clock: node.clock,
    ...(node.codecs === undefined ? {} : { codecs: node.codecs }),
    random32: () => node.random32(),
    later: (delayMs, task, keepAlive) => node.later(delayMs, task, keepAlive),
    soon: (task) => node.soon(task),
    sleep: (durationMs) => node.sleep(durationMs),
    keepFromTransfer: (buffer) => node.keepFromTransfer(buffer),
    waitWhile: (...wait) => node.waitWhile(...wait),
    publish: (name, detail) => node.publish(name, detail),
    startWorker: () => {
      started++
      return node.startWorker()
    },
  }
  const memory = new MemoryEnvironment()
  const numbers = FileNumbers.startingAt(2)
  const job = { ...jobInMemory(memory, count, numbers), directory }
  writeFileSync(join(directory, INPUT), memory.readAll(`${DIRECTORY}/${INPUT}`))
  const executor = new WorkerExecutor(
    environment,
    new InlineExecutor(environment, bytewiseComparator),
    threads,
    assert.fail,
  )
  t.after(() => {
    executor.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const list = (): string[] => readdirSync(directory).sort()
  return { environment, executor, directory, numbers, job, threads: () => started, list }
}

/** Begin the compaction, and sleep until it has written an output: it is at the next one then. */
function begin({ executor, job, numbers, environment }: Setting, done: (result: CompactionResult) => void): void {
  const first = numbers.next
  executor.start(job, (error, result) => done(result ?? assert.fail(error)))
  while (numbers.next < first + 2) environment.sleep(1)
}

function waitFor({ executor }: Setting, isThere: () => boolean): void {
  while (!isThere()) executor.waitSync(10_000)
}

test('on one thread, flushes overtake the compactions that were there before them', (t) => {
  const setting = onThreads(t, 1, 5000)
  const { executor, job, directory, numbers } = setting
  const order: string[] = []
  const finish = (error: Error | undefined, { kind }: { kind: string }): void => void order.push(error?.message ?? kind)
  // All of it is there before the thread runs: what comes first is its choice, not a matter of time.
  for (let i = 0; i < 2; i++) executor.start(job, (error, result) => finish(error, result ?? job))
  for (let i = 0; i < 2; i++)
    executor.start(flushOf(directory, numbers), (error, result) => finish(error, result ?? job))
  waitFor(setting, () => order.length === 4)
  assert.deepEqual(order, ['flush', 'flush', 'compact', 'compact'])
  assert.equal(setting.threads(), 1)
})

test('on one thread, a flush is done while compactions are under way', (t) => {
  const setting = onThreads(t, 1, 15_000)
  const order: string[] = []
  begin(setting, () => order.push('compaction'))
  for (let i = 0; i < 3; i++) setting.executor.start(setting.job, () => order.push('compaction'))
  setting.executor.start(flushOf(setting.directory, setting.numbers), () => order.push('flush'))
  waitFor(setting, () => order.length === 5)
  assert.notEqual(order[4], 'flush')
})

test('on two threads each kind has its own, and the owner sleeps for both', (t) => {
  const setting = onThreads(t, 2, 10_000)
  const order: string[] = []
  begin(setting, () => order.push('compaction'))
  setting.executor.start(flushOf(setting.directory, setting.numbers), () => order.push('flush'))
  waitFor(setting, () => order.length === 2)
  assert.deepEqual(order.sort(), ['compaction', 'flush'])
  assert.equal(setting.threads(), 2)
})

test('numbers that the owner takes meanwhile are none of the outputs’', (t) => {
  const setting = onThreads(t, 1, 10_000)
  const taken = new Set<number>()
  let result: CompactionResult | undefined
  begin(setting, (outcome) => {
    result = outcome
  })
  while (result === undefined) {
    for (let i = 0; i < 100; i++) taken.add(setting.numbers.take())
    setting.executor.waitSync(1)
  }
  assert.ok(taken.size > 0 && result.outputs.length > 10)
  for (const { number } of result.outputs) assert.ok(!taken.has(number), `number ${number}`)
})

test('outcomes come by themselves while the owner turns its event loop', async (t) => {
  const { executor, job, list } = onThreads(t, 1, 2000)
  const result = await new Promise<CompactionResult>((resolve, reject) => {
    executor.start(job, (error, outcome) => (outcome === undefined ? reject(error) : resolve(outcome)))
  })
  assert.equal(list().length, 1 + result.outputs.length)
})

test('what a thread has written comes opened, and is read without its index or filter being read again', (t) => {
  const setting = onThreads(t, 2, 2000)
  const { executor, directory, environment, numbers } = setting
  const tables = new Map<FileNumber, TableOutline>()
  const written: FileMetadata[] = []
  const opened: Opened = (number, outline) => void tables.set(number, outline)
  const outlineBytesMax = 1e6
  executor.start(
    { ...flushOf(directory, numbers), outlineBytesMax },
    (_, result) => written.push(result?.file ?? assert.fail('nothing was flushed')),
    opened,
  )
  executor.start({ ...setting.job, outlineBytesMax }, (_, result) => written.push(...(result?.outputs ?? [])), opened)
  waitFor(setting, () => written.length > 3)
  assert.equal(tables.size, written.length)
  for (const { number, bytes, smallest } of written) {
    const file = openTableFile(environment.files, directory, number, bytes)
    const reads = t.mock.method(file, 'read')
    const options = {
      comparator: bytewiseComparator,
      filterPolicy: new BloomFilter(10),
      blockCache: undefined,
      codecs: {},
    }
    const table = Table.open(file, number, options, tables.get(number))
    assert.equal(reads.mock.callCount(), 0)
    assert.equal(table.lookup(smallest, 0, smallest.length - 8, MAX_SEQUENCE), Lookup.FOUND)
    assert.equal(reads.mock.callCount(), 1)
    table.close()
  }
})

for (const threads of [1, 2]) {
  test(`closing aborts a compaction, which removes what it wrote (${threads} threads)`, (t) => {
    const setting = onThreads(t, threads, 30_000)
    begin(setting, () => assert.fail('no outcome follows'))
    setting.executor.start(setting.job, () => assert.fail('nor of one that waits'))
    assert.ok(setting.list().length > 1)
    setting.executor.close()
    assert.deepEqual(setting.list(), [INPUT])
  })
}

test('damage crosses the threads with its file and place', (t) => {
  const setting = onThreads(t, 1, 3000)
  const path = join(setting.directory, INPUT)
  const damaged = readFileSync(path)
  damaged[2_000_000] ^= 1
  writeFileSync(path, damaged)
  let error: Error | undefined
  setting.executor.start(setting.job, (failure) => {
    error = failure
  })
  waitFor(setting, () => error !== undefined)
  assert.ok(error instanceof CorruptionError, String(error))
  assert.equal(error.file, path)
  assert.ok(error.offset !== undefined && error.offset <= 2_000_000 && error.offset > 1_990_000, `${error.offset}`)
  assert.deepEqual(setting.list(), [INPUT])
})

test('where there are no threads, both kinds of jobs run inline, and can be waited for', () => {
  const memory = new MemoryEnvironment()
  const numbers = FileNumbers.startingAt(2)
  const executor = new WorkerExecutor(memory, new InlineExecutor(memory, bytewiseComparator), 2, assert.fail)
  const order: string[] = []
  executor.start(jobInMemory(memory, 3000, numbers), (_, result) => {
    order.push(`compaction of ${entryCount(memory, result?.outputs ?? [])}`)
  })
  executor.start(flushOf(DIRECTORY, numbers), () => order.push('flush'))
  executor.waitSync(1e9)
  assert.deepEqual(order, ['flush', 'compaction of 3000'])
  executor.waitSync(1e9)
  assert.equal(executor.poll(), false)
})

test('inline, a compaction advances by a slice a turn, and a flush is done at once in between', async () => {
  const memory = new MemoryEnvironment()
  const numbers = FileNumbers.startingAt(2)
  const executor = new InlineExecutor(memory, bytewiseComparator)
  const order: string[] = []
  const named = (name: string) => (error: Error | undefined) => void order.push(error?.message ?? name)
  executor.start(jobInMemory(memory, 3500, numbers), named('first'))
  executor.start(jobInMemory(memory, 1, numbers, 900), named('second'))
  for (let turn = 1; order.length < 3; turn++) {
    assert.ok(turn < 20)
    await new Promise((resolve) => setImmediate(resolve))
    if (turn !== 2) continue
    assert.equal(order.length, 0)
    executor.start(flushOf(DIRECTORY, numbers), () => order.push('flush'))
    assert.equal(order.join(), 'flush')
  }
  assert.deepEqual(order, ['flush', 'first', 'second'])
})

test('inline, a poll does one slice, and a wait ends with the first outcome or when its time is over', () => {
  const memory = new MemoryEnvironment()
  const numbers = FileNumbers.startingAt(2)
  const executor = new InlineExecutor(memory, bytewiseComparator)
  const order: string[] = []
  const named = (name: string) => (error: Error | undefined) => void order.push(error?.message ?? name)
  executor.start(jobInMemory(memory, 3500, numbers), named('first'))
  executor.start(jobInMemory(memory, 1, numbers, 900), named('second'))
  assert.deepEqual([executor.poll(), executor.poll()], [false, false])
  // The clock in memory advances by looking at it, so one slice is longer than no time at all.
  executor.waitSync(0)
  assert.deepEqual(order, [])
  executor.waitSync(1e9)
  assert.deepEqual(order, ['first'])
  executor.waitSync(1e9)
  assert.deepEqual(order, ['first', 'second'])
})

test('inline, an outcome may start the next job, and closing removes what a compaction wrote', async () => {
  const memory = new MemoryEnvironment()
  const numbers = FileNumbers.startingAt(2)
  const executor = new InlineExecutor(memory, bytewiseComparator)
  const order: string[] = []
  executor.start(jobInMemory(memory, 1, numbers, 900), (_, result) => {
    for (const { number } of result?.outputs ?? []) memory.files.remove(`${DIRECTORY}/00000${number}.ldb`)
    order.push('first')
    executor.start(jobInMemory(memory, 9000, numbers), () => order.push('never'))
    executor.poll()
  })
  executor.waitSync(1e9)
  executor.poll()
  assert.deepEqual(order, ['first'])
  assert.ok(memory.paths().length > 2)
  executor.close()
  assert.deepEqual(memory.paths(), [`${DIRECTORY}/${INPUT}`, `${DIRECTORY}/000900.ldb`])
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(order, ['first'])
})

test('a compaction that fails inline tells so once, and the next one is taken up', () => {
  const memory = new MemoryEnvironment()
  const numbers = FileNumbers.startingAt(2)
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const executor = new InlineExecutor(environment, bytewiseComparator)
  const outcomes: string[] = []
  const job = jobInMemory(memory, 1500, numbers)
  environment.setFaults(({ op, path }) => (op === 'sync' && path === '000002.ldb' ? { code: 'EIO' } : undefined))
  for (let i = 0; i < 2; i++) {
    executor.start(job, (error, result) => outcomes.push(error?.name ?? `${result?.outputs[0].number}`))
  }
  executor.waitSync(1e9)
  executor.waitSync(1e9)
  // A table is synced when the next one has ended, so the failed job has taken two numbers.
  assert.deepEqual(outcomes, ['IOError', String(fileNumber(4))])
})

test('a compression that the host lacks fails the job that asks for it, and no other', () => {
  const memory = new MemoryEnvironment()
  const numbers = FileNumbers.startingAt(2)
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  Object.defineProperty(environment, 'codecs', { value: undefined })
  const executor = new InlineExecutor(environment, bytewiseComparator)
  const job = jobInMemory(memory, 10, numbers)
  const outcomes: unknown[] = []
  const done = (error: Error | undefined, result: CompactionResult | undefined): void =>
    void outcomes.push((error as { code?: string } | undefined)?.code ?? entryCount(memory, result?.outputs ?? []))
  executor.start({ ...job, format: { ...FORMAT, compression: 'zstd' } }, done)
  executor.start(job, done)
  executor.waitSync(1e9)
  executor.waitSync(1e9)
  assert.deepEqual(outcomes, ['NOT_SUPPORTED', 10])
})

test('what keeps the code of jobs compiled comes with the second that writes a table: closing has one, and chores', () => {
  const memory = new MemoryEnvironment()
  const numbers = FileNumbers.startingAt(2)
  const runner = new JobRunner(memory, bytewiseComparator, () => {})
  const job = jobInMemory(memory, 1, numbers)
  const path = `${DIRECTORY}/${INPUT}`
  runner.add(1, flushOf(DIRECTORY, numbers))
  for (let id = 2; id < 6; id += 2) {
    runner.add(id, { kind: 'sync', step: 'sync', path, directory: DIRECTORY, number: fileNumber(1) })
    runner.add(id + 1, { kind: 'remove', files: [] })
  }
  assert.equal(runner.idle, undefined)
  runner.add(6, job)
  assert.notEqual(runner.idle, undefined)
})
