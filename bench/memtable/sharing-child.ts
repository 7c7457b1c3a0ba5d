/**
 * sharing-child: a writer alone, and with a thread that reads all the time: the writer's own live table, or one of its own, which
 * tells what a second busy core costs by itself. Rounds of all of these in turn, in one process. Its arguments are a key
 * file and the number of rounds; its output, SharingFigures as JSON.
 */
import { Worker } from 'node:worker_threads'
import { MemTable } from '../../src/memtable/memtable.ts'
import { KeyFile } from './key-file.ts'
import { addEntries, capacityFor } from './memtable-subject.ts'

export type SharingMode = 'alone' | 'other' | 'live'

/** Nanoseconds of an insert, a number a round. */
export interface SharingFigures {
  readonly batchEntries: number
  readonly insertNs: Readonly<Record<SharingMode, readonly number[]>>
  /** Lookups a second of the thread on the live table. */
  readonly readsPerSecond: number
}

const MODES: readonly SharingMode[] = ['alone', 'other', 'live']
const WARM_UPS = 2
const BATCHES = [1, 1000]

/** Words of the block that both threads share: the thread reads while RUN is set, and counts. As sharing-worker.ts has them. */
const RUN = 0
const READS = 1
const CONTROL_BYTES = 8

class Sharing {
  readonly #file: KeyFile
  readonly #path: string
  readonly #entries: number
  /** Filled once, for the thread that reads another table. */
  readonly #other: MemTable
  #reads = 0
  #readMs = 0

  constructor(path: string) {
    this.#path = path
    this.#file = KeyFile.read(path)
    this.#entries = this.#file.added.count
    this.#other = this.#create()
    addEntries(this.#other, this.#file, this.#entries, this.#entries)
  }

  async run(batchEntries: number, rounds: number): Promise<SharingFigures> {
    const insertNs: Record<SharingMode, number[]> = { alone: [], other: [], live: [] }
    for (let i = 0; i < WARM_UPS; i++) await this.#measure('alone', batchEntries)
    this.#reads = 0
    this.#readMs = 0
    for (let round = 0; round < rounds; round++) {
      for (const mode of round % 2 === 0 ? MODES : [...MODES].reverse()) {
        insertNs[mode].push(await this.#measure(mode, batchEntries))
      }
    }
    return { batchEntries, insertNs, readsPerSecond: (this.#reads * 1000) / this.#readMs }
  }

  async #measure(mode: SharingMode, batchEntries: number): Promise<number> {
    const table = this.#create()
    const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES))
    const worker = mode === 'alone' ? undefined : await this.#start(mode === 'live' ? table : this.#other, control)
    const readsBefore = Atomics.load(control, READS)
    const start = performance.now()
    addEntries(table, this.#file, this.#entries, batchEntries)
    const elapsedMs = performance.now() - start
    if (mode === 'live') {
      this.#reads += Atomics.load(control, READS) - readsBefore
      this.#readMs += elapsedMs
    }
    Atomics.store(control, RUN, 0)
    await worker?.terminate()
    return (elapsedMs * 1e6) / this.#entries
  }

  /** A thread that reads already. */
  async #start(table: MemTable, control: Int32Array): Promise<Worker> {
    Atomics.store(control, RUN, 1)
    const workerData = { token: table.share(), control, path: this.#path }
    const worker = new Worker(new URL('./sharing-worker.js', import.meta.url), { workerData })
    await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    return worker
  }

  #create(): MemTable {
    return MemTable.create({ capacityBytes: capacityFor(this.#file, this.#entries) })
  }
}

const sharing = new Sharing(process.argv[2])
const figures: SharingFigures[] = []
for (const batchEntries of BATCHES) figures.push(await sharing.run(batchEntries, Number(process.argv[3])))
console.log(JSON.stringify(figures))
