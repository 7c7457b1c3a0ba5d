/**
 * The reading thread of threads.test.ts: attaches to a MemTable, looks for anything that is not as the batches were
 * written, and reports it once the writer is done.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagSequence } from '../../src/base/internal-key.ts'
import type { InternalIterator } from '../../src/base/iterator.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { MAX_SEQUENCE } from '../../src/base/types.ts'
import { Arena } from '../../src/memtable/arena.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { MemTableToken } from '../../src/memtable/memtable-options.ts'
import { TableCounters } from '../../src/memtable/table-counters.ts'
import { BATCH_KEYS, batchOf, keyFor, OWN_KEYS } from './batches.ts'

const ENTRIES = BATCH_KEYS + OWN_KEYS
const { token, control } = workerData as { token: MemTableToken; control: Int32Array }
const table = MemTable.attach(token)
const arena = Arena.attach(token.buffer)
const counters = new TableCounters()
const faults: string[] = []
let lastBatch = 0

function expect(condition: boolean, fault: string): void {
  if (!condition && faults.length < 10) faults.push(fault)
}

/** The batch of the entry where a valid iterator is; it checks that the entry is whole and carries its sequence. */
function batchAt(at: InternalIterator): number {
  const key = at.keyBuf.slice(at.keyOff, at.keyOff + at.keyLen)
  const batch = batchOf(key, at.valBuf.subarray(at.valOff, at.valOff + at.valLen))
  expect(batch >= 0, `torn entry at ${at.keyOff}`)
  const sequence = tagSequence(at.tagLow, at.tagHigh)
  expect(batch < 0 || Math.floor((sequence - 1) / ENTRIES) === batch, `batch ${batch} with sequence ${sequence}`)
  return batch
}

/** The shared keys, all of which every batch overwrites, are of one batch in one iterator. */
function checkShared(at: InternalIterator): number {
  let common = -1
  for (let slot = 0; slot < BATCH_KEYS; slot++) {
    const key = keyFor(slot, 0)
    at.seek(key, 0, key.length, MAX_TAG_LOW, MAX_TAG_HIGH)
    const batch = at.valid ? batchAt(at) : 0
    if (slot === 0) common = batch
    expect(batch === common, `slot ${slot} is of batch ${batch}, slot 0 of batch ${common}`)
  }
  return common
}

/** Of a visible batch, every own key is there; lookups come later than the iterator, so they find at least as much. */
function checkLookups(batch: number): void {
  for (let slot = 0; slot < ENTRIES && batch > 0; slot++) {
    const key = keyFor(slot, batch)
    expect(table.lookup(key, 0, key.length, MAX_SEQUENCE) === Lookup.FOUND, `slot ${slot} of batch ${batch} is missing`)
    const found = batchOf(key, table.valBuf.subarray(table.valOff, table.valOff + table.valLen))
    expect(slot < BATCH_KEYS ? found >= batch : found === batch, `lookup of slot ${slot}: batch ${found}, not ${batch}`)
  }
}

/** Every entry, forwards and then back, as many each way as the batches up to `batch` have. */
function checkWalks(at: InternalIterator, batch: number): void {
  let count = 0
  for (at.seekToFirst(); at.valid; at.next()) {
    expect(batchAt(at) <= batch, 'an entry of a later batch')
    count++
  }
  expect(count === batch * ENTRIES, `${count} entries forwards, of ${batch} batches`)
  for (at.seekToLast(); at.valid; at.prev()) count--
  expect(count === 0, `${count} entries fewer backwards, of ${batch} batches`)
}

/** All numbers are of one moment: between two batches. */
function checkNumbers(): void {
  for (let i = 0; i < 100; i++) {
    counters.read(arena)
    const { entries, keys, largest } = counters
    const batches = entries / ENTRIES
    const isOfOneMoment = entries === 0 || (keys === BATCH_KEYS + OWN_KEYS * batches && largest === entries + ENTRIES)
    expect(isOfOneMoment, `${entries} entries, ${keys} keys and the largest sequence ${largest} at once`)
  }
}

let isOver = false
for (let round = 0; !isOver; round++) {
  // Before reading: the last round is then one over everything.
  isOver = Atomics.load(control, 0) === 1
  const at = table.iterator()
  const batch = checkShared(at)
  expect(batch >= lastBatch, `batch ${batch} after batch ${lastBatch}`)
  lastBatch = batch
  checkLookups(batch)
  checkNumbers()
  if (round % 64 === 0 || isOver) checkWalks(at, batch)
  Atomics.add(control, 1, 1)
}
expect(table.isFrozen, 'the table is not frozen in the end')
parentPort!.postMessage({ faults, rounds: control[1], lastBatch, listed: table.entryCount })
