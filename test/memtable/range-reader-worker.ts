/**
 * The reading thread of range-threads.test.ts: attaches to a MemTable, compares what it sees with a table of its own into
 * which it plays the same batches, and reports what differs once the writer is done.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { MAX_SEQUENCE, type SequenceNumber } from '../../src/base/types.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { MemTableToken } from '../../src/memtable/memtable-options.ts'
import { addRangeBatch, OUTER_KEY, SEQUENCES, WIDE_KEYS, wideKey, wideSequence } from './range-batches.ts'
import { answerOf, fragmentWords } from './ranges.ts'

const { token, control } = workerData as { token: MemTableToken; control: Int32Array }
const table = MemTable.attach(token)
const own = MemTable.create({ capacityBytes: 64 * 1024 * 1024 })
const faults: string[] = []
let ownBatches = 0
let lastBatch = 0

function expect(condition: boolean, fault: string): void {
  if (!condition && faults.length < 10) faults.push(fault)
}

/** One cursor is of one moment: the key that the batch puts is there, and the others of its range are not. */
function checkCursor(): number {
  const found = [...table.entries()].map(({ key, type, sequence }) => ({
    key: Buffer.from(key).toString(),
    type,
    sequence,
  }))
  const outer = found.find(({ key }) => key === 'outer')
  if (outer === undefined) {
    expect(found.length === 0, 'a first batch in part')
    return 0
  }
  const batch = Math.floor(outer.sequence / SEQUENCES)
  for (const { key, type, sequence } of found) {
    if (key === 'outer') continue
    const isPut = key === Buffer.from(wideKey(batch)).toString()
    const expected = isPut ? `value ${wideSequence(batch) + 1}` : `tombstone ${wideSequence(batch)}`
    expect(`${type} ${sequence}` === expected, `${key} is a ${type} ${sequence}, not ${expected}`)
  }
  return batch
}

/** A snapshot at the end of a batch that was published: everything is as if that batch were the last. */
function checkSnapshot(batch: number): void {
  const sequence = (wideSequence(batch) + SEQUENCES - 1) as SequenceNumber
  while (ownBatches < batch) addRangeBatch(own, ++ownBatches)
  const seen = [...table.rangeTombstones(sequence)].map(fragmentWords).join(', ')
  const wanted = [...own.rangeTombstones(sequence)].map(fragmentWords).join(', ')
  expect(seen === wanted, `batch ${batch}: ${seen} instead of ${wanted}`)
  const cover = table.rangeCover(sequence)
  for (let slot = 0; slot < WIDE_KEYS; slot++) {
    const key = wideKey(slot)
    cover?.seek(key, 0, key.length)
    expect(cover?.sequence === wideSequence(batch), `the cover of slot ${slot} is ${cover?.sequence}`)
    const oldest = table.coverAfter(key, 0, key.length, wideSequence(batch) - 1, sequence)
    expect(oldest === wideSequence(batch), `the oldest cover of slot ${slot} is ${oldest}`)
  }
}

/** Numbers are of one moment; lookups come later, so they find at least as much. */
function checkNumbers(batch: number): void {
  const { rangeTombstoneCount } = table
  expect(rangeTombstoneCount % 2 === 0 && rangeTombstoneCount >= 2 * batch, `${rangeTombstoneCount} range tombstones`)
  const outer = table.get(OUTER_KEY, MAX_SEQUENCE)
  expect(outer === undefined ? batch === 0 : outer.sequence >= wideSequence(batch), 'an older batch than before')
  const [before, after] = [table.largestSequence, answerOf(table, wideKey(0), MAX_SEQUENCE)]
  if (before > 0) expect(Number(after.split(' ')[1]) >= before - WIDE_KEYS * SEQUENCES, `${after} after ${before}`)
}

let isOver = false
while (!isOver) {
  // Before reading: the last round is then one over everything.
  isOver = Atomics.load(control, 0) === 1
  const batch = checkCursor()
  expect(batch >= lastBatch, `batch ${batch} after batch ${lastBatch}`)
  lastBatch = batch
  if (batch > 0) checkSnapshot(batch)
  checkNumbers(batch)
  Atomics.add(control, 1, 1)
  Atomics.notify(control, 1)
}
parentPort!.postMessage({ faults, rounds: control[1], lastBatch })
