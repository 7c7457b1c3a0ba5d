/**
 * How reading scales with threads: random gets of cached keys, by the owner alone, by one other thread, and by two at once, in
 * turn. 100,000 keys, values of 100 bytes: the older half in tables, the newer in the MemTable.
 *
 *   node .build/bench/threads/main.js
 *
 * The load of other processes weighs on the clock: beside the rates, what two plain loops that share nothing reach at the same
 * time, as the most that the machine has to give just then; and the CPU time that a get takes. Readers wait for nothing, so twice
 * the ratio of that is what two free cores would give.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Prng } from '../../src/base/prng.ts'
import { type DB, open, WriteBatch } from '../../src/public/index.ts'
import { spreadOf } from '../statistics.ts'
import { keyOf, type Start } from './reader.ts'

const KEYS = 100_000
const VALUE = new Uint8Array(100).fill(0x76)
const ROUNDS = 9
const ROUND_MS = 250

class Thread {
  readonly #worker: Worker

  constructor(program: string | URL, start: Start | undefined) {
    const options = start === undefined ? { eval: true } : { workerData: start, transferList: [start.handle.port] }
    this.#worker = new Worker(program, options)
    this.#worker.on('error', (error) => {
      throw error
    })
  }

  /** Its next message. */
  next<T>(): Promise<T> {
    return new Promise((resolve) => {
      this.#worker.once('message', resolve)
    })
  }

  round(): Promise<{ reads: number; ms: number }> {
    this.#worker.postMessage(ROUND_MS)
    return this.next()
  }

  end(): Promise<number> {
    return this.#worker.terminate()
  }
}

/** Does nothing but count. */
const SPIN = `
const { parentPort } = require('node:worker_threads')
let x = 1
parentPort.on('message', (durationMs) => {
  const start = performance.now()
  let reads = 0
  let ms = 0
  for (; ms < durationMs; ms = performance.now() - start, reads++) for (let i = 0; i < 1e5; i++) x = (x * 48271) % 2147483647
  parentPort.postMessage({ reads, ms, x })
})`

async function fill(db: DB): Promise<void> {
  const order = Array.from({ length: KEYS }, (_, i) => i)
  const prng = new Prng(1)
  for (let i = KEYS - 1; i > 0; i--) {
    const j = prng.below(i + 1)
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  for (let i = 0; i < KEYS; i += 100) {
    const batch = new WriteBatch()
    for (const number of order.slice(i, i + 100)) batch.put(keyOf(number), VALUE)
    await db.write(batch)
    if (i === KEYS / 2) await db.flush()
  }
}

function ownersRound(db: DB, keys: readonly string[], prng: Prng): number {
  const start = performance.now()
  let reads = 0
  let ms = 0
  for (; ms < ROUND_MS; reads += 500, ms = performance.now() - start) {
    for (let i = 0; i < 500; i++) db.getSync(keys[prng.below(KEYS)])
  }
  return (reads / ms) * 1000
}

const directory = mkdtempSync(join(tmpdir(), 'varve-bench-threads-'))
const db = await open(directory, { blockCacheBytes: 128 * 1024 * 1024 })
await fill(db)
const program = new URL('./reader.js', import.meta.url)
const readers = [1, 2].map((seed) => new Thread(program, { handle: db.share(), keys: KEYS, seed }))
await Promise.all(readers.map((reader) => reader.next()))
const spinners = [new Thread(SPIN, undefined), new Thread(SPIN, undefined)]
const keys = Array.from({ length: KEYS }, (_, i) => keyOf(i))
const prng = new Prng(3)
ownersRound(db, keys, prng)

interface Round {
  /** Operations a second of the clock, of all threads. */
  readonly rate: number
  /** CPU time of one operation, in microseconds. */
  readonly micros: number
}

async function together(threads: readonly Thread[]): Promise<Round> {
  const before = process.cpuUsage()
  const rounds = await Promise.all(threads.map((thread) => thread.round()))
  const { user, system } = process.cpuUsage(before)
  const rate = rounds.reduce((sum, { reads, ms }) => sum + (reads / ms) * 1000, 0)
  return { rate, micros: (user + system) / rounds.reduce((sum, { reads }) => sum + reads, 0) }
}

const rates: Record<string, number[]> = {
  owner: [],
  one: [],
  two: [],
  scale: [],
  cpuOne: [],
  cpuTwo: [],
  cpuScale: [],
  spin: [],
}
for (let i = 0; i < ROUNDS; i++) {
  rates.owner.push(ownersRound(db, keys, prng))
  const one = await together(readers.slice(i % 2, (i % 2) + 1))
  const two = await together(readers)
  const oneSpin = await together(spinners.slice(i % 2, (i % 2) + 1))
  const twoSpin = await together(spinners)
  rates.one.push(one.rate)
  rates.two.push(two.rate)
  rates.scale.push(two.rate / one.rate)
  rates.spin.push(twoSpin.rate / oneSpin.rate)
  rates.cpuOne.push(one.micros)
  rates.cpuTwo.push(two.micros)
  rates.cpuScale.push((2 * one.micros) / two.micros)
}
const show = (name: string, values: readonly number[], digits: number): void => {
  const { min, median } = spreadOf(values)
  console.log(
    `${name.padEnd(44)} median ${median.toFixed(digits)}, ${min.toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`,
  )
}
console.log(`random cached gets of ${KEYS} keys, ${ROUNDS} rounds of ${ROUND_MS} ms in turn`)
show('the owner, gets a second', rates.owner, 0)
show('one other thread, gets a second', rates.one, 0)
show('two other threads, gets a second', rates.two, 0)
show('two against one', rates.scale, 2)
show('one other thread, CPU µs a get', rates.cpuOne, 2)
show('two other threads, CPU µs a get', rates.cpuTwo, 2)
show('two against one, were both cores free', rates.cpuScale, 2)
show('two against one, of loops that share nothing', rates.spin, 2)
await Promise.all([...readers, ...spinners].map((thread) => thread.end()))
await db.close()
rmSync(directory, { recursive: true, force: true })
