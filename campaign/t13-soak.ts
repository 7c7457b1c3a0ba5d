/**
 * T13, soak: everything at random on the real file system for as long as there is time, next to a map: writes of all kinds, range
 * deletes, reads, scans, snapshots, flushes, compactions, reopenings. What is read is right, descriptors come back at every
 * close, and memory levels off.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng } from '../src/base/prng.ts'
import { type DB, open, WriteBatch } from '../src/public/index.ts'
import { descriptors, residentBytes, settle } from './bounds/process-figures.ts'
import type { Campaign, CampaignContext } from './campaign.ts'

const KEYS = 4000
/** Operations on one opening. */
const LIFE = 3000
/** What the second half may need above the first: compiled code, and memory given back late; a leak of 1 MB/h is more in a day. */
const GROWTH_BYTES = 64 * 1024 * 1024
const OPTIONS = {
  writeBufferBytes: 256 * 1024,
  blockCacheBytes: 1024 * 1024,
  maxFileBytes: 256 * 1024,
  levelBytes: 1024 * 1024,
}

export const SOAK: Campaign = {
  name: 't13-soak',
  title: 'everything at random, for a long time',
  ciSeconds: 10,
  longShare: 8,
  run,
}

class SoakError extends Error {}

async function run(context: CampaignContext): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-soak-'))
  const prng = new Prng(context.seed)
  const model = new Map<string, string>()
  const startMs = performance.now()
  const halfMs = (startMs + context.deadline) / 2
  let first = 0
  let second = Number.POSITIVE_INFINITY
  try {
    await live(context, directory, model, prng)
    await settle()
    const before = descriptors()
    while (!context.isOver()) {
      await live(context, directory, model, prng)
      await settle()
      const now = residentBytes()
      if (performance.now() < halfMs) first = Math.max(first, now)
      else second = Math.min(second, now)
      if (descriptors() !== before) throw new SoakError(`${before} descriptors before, ${descriptors()} after`)
    }
    if (first > 0 && second !== Number.POSITIVE_INFINITY && second > first + GROWTH_BYTES)
      throw new SoakError(`at most ${first} bytes in the first half, at least ${second} in the second`)
  } catch (error) {
    context.finding('soak', (error as Error).stack ?? String(error), { seed: context.seed })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function key(i: number): string {
  return `key/${String(i).padStart(6, '0')}`
}

/** One opening. */
async function live(
  context: CampaignContext,
  directory: string,
  model: Map<string, string>,
  prng: Prng,
): Promise<void> {
  const db = await open(directory, { ...OPTIONS, workers: prng.below(3), memtableChecksums: prng.below(2) === 0 })
  try {
    await compare(db, model)
    for (let i = 0; i < LIFE && !context.isOver(); i++) {
      await operate(db, model, prng)
      if (i % 100 === 0) context.count('operations', 100)
    }
    await compare(db, model)
    context.count('whole comparisons', 2)
  } finally {
    await db.close()
  }
}

async function operate(db: DB, model: Map<string, string>, prng: Prng): Promise<void> {
  const at = prng.below(KEYS)
  const choice = prng.below(1000)
  if (choice < 450) await put(db, model, prng, key(at))
  else if (choice < 550) {
    model.delete(key(at))
    await db.delete(key(at))
  } else if (choice < 600) await batch(db, model, prng)
  else if (choice < 610) {
    const end = key(at + prng.below(200))
    for (const other of [...model.keys()]) if (other >= key(at) && other < end) model.delete(other)
    await db.deleteRange(key(at), end)
  } else if (choice < 950) check(key(at), db.getSync(key(at)), model.get(key(at)))
  else if (choice < 990) scanSome(db, model, prng, at)
  else if (choice < 993) await db.flush()
  else if (choice === 993) await db.compactRange(key(at), key(at + 500))
}

async function put(db: DB, model: Map<string, string>, prng: Prng, name: string): Promise<void> {
  const value = String(prng.next32()).padEnd(prng.below(prng.below(20) === 0 ? 20_000 : 300), 'x')
  model.set(name, value)
  await db.put(name, value, { durability: prng.below(50) === 0 ? 'disk' : 'os' })
}

async function batch(db: DB, model: Map<string, string>, prng: Prng): Promise<void> {
  const writes = new WriteBatch()
  for (let left = prng.below(30); left > 0; left--) {
    const name = key(prng.below(KEYS))
    const value = String(prng.next32())
    writes.put(name, value)
    model.set(name, value)
  }
  await db.write(writes)
}

function scanSome(db: DB, model: Map<string, string>, prng: Prng, at: number): void {
  using snapshot = db.snapshot()
  const reverse = prng.below(2) === 0
  const end = at + prng.below(50)
  const found = [...db.scanSync({ gte: key(at), lt: key(end), reverse, snapshot })]
  const expected: string[] = []
  for (let i = at; i < end; i++) if (model.has(key(i))) expected.push(key(i))
  if (reverse) expected.reverse()
  if (found.length !== expected.length) throw new SoakError(`a scan of ${found.length} keys, not ${expected.length}`)
  for (const [i, [name, value]] of found.entries()) check(expected[i], value, model.get(text(name)))
}

async function compare(db: DB, model: Map<string, string>): Promise<void> {
  const expected = [...model.keys()].sort()
  let at = 0
  for await (const [name, value] of db.scan()) {
    if (text(name) !== expected[at]) throw new SoakError(`key ${at} is ${text(name)}, should be ${expected[at]}`)
    check(expected[at], value, model.get(expected[at]))
    at++
  }
  if (at !== expected.length) throw new SoakError(`${at} keys, should be ${expected.length}`)
}

function check(name: string, found: Uint8Array | undefined, expected: string | undefined): void {
  const value = found === undefined ? undefined : text(found)
  if (value !== expected) throw new SoakError(`${name} is ${value?.slice(0, 20)}, should be ${expected?.slice(0, 20)}`)
}

const decoder = new TextDecoder()

function text(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
