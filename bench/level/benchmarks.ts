/**
 * The benchmarks of Level/bench, as promises, which abstract-level 3 has: put, batch-put, get, iterate, stream and clear, with
 * its defaults (concurrency, batches, orders of keys, 100-byte values, a million operations, two million for stream), which
 * `--scale` makes fewer. Keys and values are strings, as its keyspace makes them: keys of 16 digits, values of random hex.
 *
 * Each has a preparation, which is not measured, and a run, which checks what it read. A variant is another way to call the
 * same thing.
 */
import { Readable } from 'node:stream'
import type { AbstractLevel } from 'abstract-level'
import { Prng } from '../../src/base/prng.ts'

export type Level = AbstractLevel<string | Buffer | Uint8Array, string, string> & {
  compactRange?(start: string, end: string): Promise<void>
}

export interface Benchmark {
  readonly name: string
  /** Operations at scale 1. */
  readonly operations: number
  prepare(level: Level, operations: number): Promise<void>
  run(level: Level, operations: number, data: Data): Promise<void>
}

/** What a run draws its keys and values from, made before the clock starts. */
export interface Data {
  readonly randomKeys: readonly string[]
  readonly values: readonly string[]
}

const PUT_CONCURRENCY = 4
const BATCH = 1000
const VALUE_BYTES = 100
const VALUES = 1024
const SEED = 1

export function makeData(operations: number): Data {
  const prng = new Prng(SEED)
  const randomKeys = Array.from({ length: operations }, () => keyOf(prng.below(operations)))
  const values = Array.from({ length: VALUES }, () =>
    Array.from({ length: VALUE_BYTES }, () => prng.below(16).toString(16)).join(''),
  )
  return { randomKeys, values }
}

function keyOf(i: number): string {
  return String(i).padStart(16, '0')
}

function nothing(): Promise<void> {
  return Promise.resolve()
}

/** All keys once, in order or in the reverse of it, in batches, the last of which is synced; then compacted. */
async function preload(level: Level, count: number, isReverse: boolean): Promise<void> {
  const { values } = makeData(0)
  for (let begin = 0; begin < count; begin += BATCH) {
    const limit = Math.min(begin + BATCH, count)
    const operations = []
    for (let i = begin; i < limit; i++) {
      const key = keyOf(isReverse ? count - 1 - i : i)
      operations.push({ type: 'put' as const, key, value: values[i % VALUES] })
    }
    await level.batch(operations, { sync: limit === count } as object)
  }
  await level.compactRange?.(keyOf(0), keyOf(count))
}

async function put(level: Level, operations: number, { randomKeys, values }: Data): Promise<void> {
  let next = 0
  async function worker(): Promise<void> {
    for (let i = next++; i < operations; i = next++) await level.put(randomKeys[i], values[i % VALUES])
  }
  await Promise.all(Array.from({ length: PUT_CONCURRENCY }, () => worker()))
}

async function batchPut(level: Level, operations: number, { randomKeys, values }: Data): Promise<void> {
  for (let begin = 0; begin < operations; begin += BATCH) {
    const batch = []
    for (let i = begin; i < Math.min(begin + BATCH, operations); i++) {
      batch.push({ type: 'put' as const, key: randomKeys[i], value: values[i % VALUES] })
    }
    await level.batch(batch)
  }
}

async function chainedPut(level: Level, operations: number, { randomKeys, values }: Data): Promise<void> {
  for (let begin = 0; begin < operations; begin += BATCH) {
    const batch = level.batch()
    for (let i = begin; i < Math.min(begin + BATCH, operations); i++) batch.put(randomKeys[i], values[i % VALUES])
    await batch.write()
  }
}

async function get(level: Level, operations: number, { randomKeys }: Data): Promise<void> {
  for (let i = 0; i < operations; i++) checkValue(await level.get(randomKeys[i]))
}

async function getSync(level: Level, operations: number, { randomKeys }: Data): Promise<void> {
  for (let i = 0; i < operations; i++) checkValue(level.getSync(randomKeys[i]))
}

async function getMany(level: Level, operations: number, { randomKeys }: Data): Promise<void> {
  for (let begin = 0; begin < operations; begin += BATCH) {
    for (const value of await level.getMany(randomKeys.slice(begin, begin + BATCH))) checkValue(value)
  }
}

function checkValue(value: string | undefined): void {
  if (value?.length !== VALUE_BYTES) throw new Error('a value is missing')
}

async function iterate(level: Level, operations: number): Promise<void> {
  const iterator = level.iterator()
  let count = 0
  for (let entry = await iterator.next(); entry !== undefined; entry = await iterator.next()) count++
  await iterator.close()
  checkCount(count, operations)
}

async function iterateMany(level: Level, operations: number): Promise<void> {
  const iterator = level.iterator()
  let count = 0
  for (let entries = await iterator.nextv(BATCH); entries.length > 0; entries = await iterator.nextv(BATCH)) {
    count += entries.length
  }
  await iterator.close()
  checkCount(count, operations)
}

async function stream(level: Level, operations: number): Promise<void> {
  let count = 0
  const readable = Readable.from(level.iterator())
  readable.on('data', () => count++)
  await new Promise((resolve, reject) => readable.on('end', resolve).on('error', reject))
  checkCount(count, operations)
}

function checkCount(count: number, expected: number): void {
  if (count !== expected) throw new Error(`${count} entries, not ${expected}`)
}

async function clear(level: Level, operations: number): Promise<void> {
  for (let begin = 0; begin < operations; begin += BATCH) await level.clear({ gte: keyOf(begin), limit: BATCH })
  checkCount((await level.keys({ limit: 1 }).all()).length, 0)
}

const MILLION = 1_000_000
const inOrder = (level: Level, count: number): Promise<void> => preload(level, count, false)
const inReverse = (level: Level, count: number): Promise<void> => preload(level, count, true)

export const BENCHMARKS: readonly Benchmark[] = [
  { name: 'put', operations: MILLION, prepare: nothing, run: put },
  { name: 'batch-put', operations: MILLION, prepare: nothing, run: batchPut },
  { name: 'batch-put --chained', operations: MILLION, prepare: nothing, run: chainedPut },
  { name: 'get', operations: MILLION, prepare: inOrder, run: get },
  { name: 'get --sync', operations: MILLION, prepare: inOrder, run: getSync },
  { name: 'get --many', operations: MILLION, prepare: inOrder, run: getMany },
  { name: 'iterate', operations: MILLION, prepare: inReverse, run: iterate },
  { name: 'iterate --nextv', operations: MILLION, prepare: inReverse, run: iterateMany },
  { name: 'stream', operations: 2 * MILLION, prepare: inReverse, run: stream },
  { name: 'clear', operations: MILLION, prepare: inOrder, run: clear },
]
