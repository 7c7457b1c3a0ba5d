/**
 * Range tombstones read by a thread while another writes them.
 * Strategy    a worker attaches and reads, as fast as it can, while this thread adds batches that each put into a range
 *             that they delete
 * Invariants  batches appear whole and in order, with puts and range deletes at once; the map of a snapshot is that of a
 *             table into which the same batches were played
 */
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import { MemTable } from '../../src/memtable/memtable.ts'
import { addRangeBatch } from './range-batches.ts'
import { testEachLive } from './representations.ts'

const BATCHES = 20_000

interface Report {
  readonly faults: readonly string[]
  readonly rounds: number
  readonly lastBatch: number
}

async function reportOf(worker: Worker): Promise<Report> {
  return await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (status) => reject(new Error(`the worker left without a report, status ${status}`)))
  })
}

testEachLive('a reader on another thread sees puts and range deletes of a batch at once', async (representation) => {
  const table = MemTable.create({ capacityBytes: 64 * 1024 * 1024, representation })
  const control = new Int32Array(new SharedArrayBuffer(8))
  const workerData = { token: table.share(), control }
  const worker = new Worker(new URL('./range-reader-worker.js', import.meta.url), { workerData, execArgv: [] })
  const report = reportOf(worker)
  // The first round tells that the reader runs, so that the two really work at once.
  while (Atomics.load(control, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  for (let batch = 1; batch <= BATCHES; batch++) {
    addRangeBatch(table, batch)
    table.publish()
    // The reader is the slower one: let it come to see many states, each while the next ones are being written.
    if (batch % 50 === 0) Atomics.wait(control, 1, Atomics.load(control, 1), 1000)
  }
  table.freeze()
  Atomics.store(control, 0, 1)
  const { faults, rounds, lastBatch } = await report
  assert.deepEqual(faults, [])
  assert.ok(rounds > 100, `the reader read only ${rounds} times`)
  assert.equal(lastBatch, BATCHES, 'a frozen table shows everything')
})
