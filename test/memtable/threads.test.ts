/**
 * A MemTable read by a thread while another writes it.
 * Strategy    a worker attaches and reads, as fast as it can, while this thread adds batches. All entries of batch b
 *             hold the number b and a hash of key and number, so that a torn entry shows itself.
 * Invariants  what a reader finds is whole; batches appear whole and in order; iterators stand still; the numbers are
 *             those of one moment
 */
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import { sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { MemTableToken } from '../../src/memtable/memtable-options.ts'
import { BATCH_KEYS, keyFor, OWN_KEYS, valueFor } from './batches.ts'
import { testEachLive } from './representations.ts'

const BATCHES = 20_000

interface Report {
  readonly faults: readonly string[]
  readonly rounds: number
  readonly lastBatch: number
  readonly listed: number
}

/** What ends the worker: its report, or its failure. */
async function reportOf(worker: Worker): Promise<Report> {
  return await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (status) => reject(new Error(`the worker left without a report, status ${status}`)))
  })
}

/** Start a reader of `token`; it runs until `control[0]` is set, and counts its rounds in `control[1]`. */
function startReader(token: MemTableToken, control: Int32Array): Worker {
  return new Worker(new URL('./reader-worker.js', import.meta.url), { workerData: { token, control }, execArgv: [] })
}

function addBatch(table: MemTable, batch: number): void {
  let sequence = batch * (BATCH_KEYS + OWN_KEYS)
  for (let slot = 0; slot < BATCH_KEYS + OWN_KEYS; slot++) {
    const key = keyFor(slot, batch)
    const value = valueFor(key, batch)
    sequence++
    table.add(sequenceNumber(sequence), ValueType.VALUE, key, 0, key.length, value, 0, value.length)
  }
  table.publish()
}

testEachLive('a reader on another thread sees whole entries and whole batches, in order', async (representation) => {
  const table = MemTable.create({ capacityBytes: 64 * 1024 * 1024, representation })
  const control = new Int32Array(new SharedArrayBuffer(8))
  const worker = startReader(table.share(), control)
  const report = reportOf(worker)
  // The first round tells that the reader runs, so that the two really work at once.
  while (Atomics.load(control, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  for (let batch = 1; batch <= BATCHES; batch++) addBatch(table, batch)
  table.freeze()
  Atomics.store(control, 0, 1)
  const { faults, rounds, lastBatch, listed } = await report
  assert.deepEqual(faults, [])
  assert.ok(rounds > 1, 'the reader read more than once')
  assert.equal(lastBatch, BATCHES, 'a frozen table shows everything')
  assert.equal(listed, table.entryCount)
})
