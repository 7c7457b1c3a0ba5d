/** Tables that a job has written are opened by it: when, which of them are told of, and what comes of one that cannot be. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { tableName } from '../../src/base/filename.ts'
import { fileNumber } from '../../src/base/types.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { runFlushJob } from '../../src/jobs/flush-job.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { outlineBytes } from '../../src/table/table-outline.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { bytesOf, putEntry } from '../table/entries.ts'
import { DIRECTORY, FORMAT, jobOf, placeTable, runCompactionJob } from './compactions.ts'

test('an opened output is one that was synced and closed, and all are opened before the directory is synced', () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY, countReads: true })
  const many = Array.from({ length: 200 }, (_, i) => putEntry(bytesOf(`key${1000 + i}`), 1, bytesOf('v'.repeat(50))))
  const job = jobOf({ upper: [placeTable(memory, 1, many)], outlineBytesMax: 1e6 })
  const opened: number[] = []
  const { outputs } = runCompactionJob(job, environment, bytewiseComparator, (number, outline) => {
    opened.push(number)
    const calls = environment.takeCalls().filter((call) => call.includes(`${number}.ldb`) && !call.startsWith('append'))
    const names = calls.map((call) => call.split(' ')[0])
    assert.deepEqual(names.slice(-6), ['sync', 'close', 'status', 'open', 'read', 'close'])
    assert.ok(outline.index.count > 0 && outline.filters !== undefined)
  })
  assert.ok(outputs.length > 10)
  assert.deepEqual(
    opened,
    outputs.map(({ number }) => number),
  )
  assert.deepEqual(environment.takeCalls(), ['sync-dir'])
})

test('all outputs are opened, but no more is told of them than there is room for', () => {
  const memory = new MemoryEnvironment()
  const many = Array.from({ length: 200 }, (_, i) => putEntry(bytesOf(`key${1000 + i}`), 1, bytesOf('v'.repeat(50))))
  const upper = [placeTable(memory, 1, many)]
  const told = (outlineBytesMax: number): number[] => {
    const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
    const bytes: number[] = []
    const job = jobOf({ upper, outlineBytesMax })
    const { outputs } = runCompactionJob(job, environment, bytewiseComparator, (_, outline) => {
      bytes.push(outlineBytes(outline))
    })
    const opens = environment.calls.filter((call) => call.startsWith('open'))
    assert.equal(opens.length, 1 + outputs.length)
    for (const { number } of outputs) memory.files.remove(`${DIRECTORY}/${tableName(number)}`)
    return bytes
  }
  const all = told(1e6)
  assert.ok(all.length > 10)
  assert.deepEqual(told(all[0] + all[1]), all.slice(0, 2))
  assert.deepEqual(told(all[0] + all[1] - 1), all.slice(0, 1))
  assert.deepEqual(told(0), [])
})

test('a flushed table is opened before the directory is synced, and removed if it cannot be read', () => {
  const memory = new MemoryEnvironment()
  memory.files.makeDirectory(DIRECTORY)
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY, countReads: true })
  const flush = (number: number): readonly number[] => {
    const memtable = MemTable.create({ capacityBytes: 1 << 20 })
    memtable.put('key', 'value')
    memtable.freeze()
    const opened: number[] = []
    runFlushJob(
      {
        kind: 'flush',
        directory: DIRECTORY,
        number: fileNumber(number),
        memtable: memtable.share(),
        below: [],
        format: FORMAT,
        outlineBytesMax: 1e6,
      },
      environment,
      bytewiseComparator,
      (known) => opened.push(known),
    )
    return opened
  }
  assert.deepEqual(flush(1), [1])
  const names = environment.takeCalls().map((call) => call.split(' ')[0])
  assert.deepEqual(names.slice(-7), ['sync', 'close', 'status', 'open', 'read', 'close', 'sync-dir'])
  environment.setFaults(({ op, path }) => {
    if (op === 'open') memory.write(`${DIRECTORY}/${path}`, new Uint8Array(10))
    return undefined
  })
  assert.throws(() => flush(2), { code: 'CORRUPTION', file: `${DIRECTORY}/000002.ldb` })
  assert.deepEqual(memory.paths(), [`${DIRECTORY}/000001.ldb`])
})
