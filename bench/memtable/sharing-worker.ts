/**
 * sharing-worker: the reading thread of sharing-child.ts: looks for random keys of a table, one after another, as long as it may.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { MAX_SEQUENCE } from '../../src/base/types.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { MemTableToken } from '../../src/memtable/memtable-options.ts'
import { KeyFile } from './key-file.ts'

/** Lookups between two looks at the shared words. */
const STRIDE = 256
/** Lookups before it says that it is at work: enough to be compiled. */
const WARM_UP = 50_000
/** As sharing-child.ts has them. */
const RUN = 0
const READS = 1

const { token, control, path } = workerData as { token: MemTableToken; control: Int32Array; path: string }
const table = MemTable.attach(token)
const { bytes, offsets, count } = KeyFile.read(path).present
let next = 0

function read(lookups: number): void {
  for (let i = 0; i < lookups; i++) {
    const at = offsets[next]
    table.lookup(bytes, at, offsets[next + 1] - at, MAX_SEQUENCE)
    next = next + 1 === count ? 0 : next + 1
  }
}

read(WARM_UP)
parentPort?.postMessage('reading')
while (Atomics.load(control, RUN) === 1) {
  read(STRIDE)
  Atomics.add(control, READS, STRIDE)
}
