/**
 * Reads of a compacted database, 16-byte keys and 100-byte values: this build, another build of varve if one is named, and
 * classic-level over a copy of the same files, in turn, in one process. Processor time is what says something on a machine
 * that others use too; it counts all threads of the process, classic-level's among them.
 *
 *   node .build/bench/micro/reads.js [directory of another .build] [--only=cached,missing,...] [--entries=300000] [--rounds=7]
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ClassicLevel } from 'classic-level'
import { Prng } from '../../src/base/prng.ts'
import * as varve from '../../src/public/index.ts'
import { spreadOf } from '../statistics.ts'

const MIB = 1024 * 1024
const RANGE_ENTRIES = 10
const TIGHT_BYTES = 4 * MIB
const NEXTV_COUNT = 1000

type Varve = typeof varve
type Level = ClassicLevel<Uint8Array, Uint8Array>

/** Carries out `count` operations and returns the entries or values that it read. */
type Run = (count: number) => number | Promise<number>

interface Candidate {
  readonly name: string
  readonly run: Run
}

/** What an engine can be asked; one database of each cache size. */
interface Reads {
  readonly cached: Run
  readonly missing: Run
  readonly uncached: Run
  /** With a cache of a tenth of the tables or so. */
  readonly crowded: Run
  readonly scan: Run
  readonly best: Run
  readonly range: Run
}

const argument = (name: string, fallback: string): string =>
  process.argv.find((text) => text.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback
const entries = Number(argument('entries', '300000'))
const rounds = Number(argument('rounds', '7'))
const only = argument('only', 'cached,missing,uncached,crowded,range,best,scan').split(',')
const engines = argument('engines', 'this,other,classic-level').split(',')
const otherBuild = process.argv.slice(2).find((text) => !text.startsWith('--'))

const keys = Array.from({ length: entries }, (_, i) => Buffer.from(String(2 * i).padStart(16, '0')))
const prng = new Prng(7)
const order = Uint32Array.from({ length: 100_000 }, () => prng.below(entries))
const missingKeys = Array.from(order, (i) => Buffer.from(String(2 * i + 1).padStart(16, '0')))
const directory = mkdtempSync(join(tmpdir(), 'varve-reads-'))
let copies = 0

async function fill(): Promise<string> {
  const path = join(directory, 'filled')
  const db = await varve.open(path, { compression: 'none', writeBufferBytes: 8 * MIB })
  const value = new Uint8Array(100)
  for (let i = 0; i < entries; ) {
    const batch = new varve.WriteBatch()
    for (let j = 0; j < 1000 && i < entries; j++, i++) {
      for (let at = 0; at < 100; at += 4) new DataView(value.buffer).setUint32(at, prng.next32())
      batch.put(keys[(i * 7919) % entries], value)
    }
    await db.write(batch)
  }
  await db.flush()
  await db.compactRange()
  await db.close()
  return path
}

function copyOf(filled: string): string {
  const path = join(directory, `copy-${copies++}`)
  cpSync(filled, path, { recursive: true })
  return path
}

interface Getter {
  getSync(key: Uint8Array): Uint8Array | undefined
}

/** Lookups of keys in turn; `at` gives the index of the i-th. */
function gets(from: Getter, some: readonly Uint8Array[], at: (i: number) => number): Run {
  return (count) => {
    let read = 0
    for (let i = 0; i < count; i++) if (from.getSync(some[at(i)]) !== undefined) read++
    return read
  }
}

/** @param cold has no cache, `tight` a small one */
function lookups(db: Getter, cold: Getter, tight: Getter): Pick<Reads, 'cached' | 'missing' | 'uncached' | 'crowded'> {
  const random = (i: number): number => order[i % order.length]
  return {
    cached: gets(db, keys, random),
    missing: gets(db, missingKeys, (i) => i % missingKeys.length),
    uncached: gets(cold, keys, random),
    crowded: gets(tight, keys, random),
  }
}

async function varveReads({ open }: Varve, filled: string): Promise<Reads> {
  const options = { compression: 'none', seekCompaction: false } as const
  const db = await open(copyOf(filled), { ...options, blockCacheBytes: 128 * MIB })
  const cold = await open(copyOf(filled), { ...options, blockCacheBytes: 0 })
  const tight = await open(copyOf(filled), { ...options, blockCacheBytes: TIGHT_BYTES })
  return {
    ...lookups(db, cold, tight),
    scan: async (count) => {
      let read = 0
      for await (const [key] of db.scan({ limit: count })) read += key.length >> 4
      return read
    },
    best: (count) => {
      let read = 0
      for (const [key] of db.scanSync({ limit: count })) read += key.length >> 4
      return read
    },
    range: (count) => {
      let read = 0
      for (let i = 0; i < count; i++)
        for (const [key] of db.scanSync({ gte: keys[order[i % order.length]], limit: RANGE_ENTRIES }))
          read += key.length >> 4
      return read
    },
  }
}

async function levelReads(filled: string): Promise<Reads> {
  const open = async (cacheSize: number): Promise<Level> => {
    const level: Level = new ClassicLevel(copyOf(filled), {
      keyEncoding: 'view',
      valueEncoding: 'view',
      compression: false,
      cacheSize,
    })
    await level.open()
    return level
  }
  const db = await open(128 * MIB)
  const cold = await open(1)
  const tight = await open(TIGHT_BYTES)
  return {
    ...lookups(db, cold, tight),
    scan: async (count) => {
      let read = 0
      for await (const [key] of db.iterator({ limit: count })) read += key.length >> 4
      return read
    },
    best: async (count) => {
      const iterator = db.iterator({ limit: count })
      let read = 0
      for (let some = await iterator.nextv(NEXTV_COUNT); some.length > 0; some = await iterator.nextv(NEXTV_COUNT))
        for (const [key] of some) read += key.length >> 4
      await iterator.close()
      return read
    },
    range: async (count) => {
      let read = 0
      for (let i = 0; i < count; i++) {
        const all = await db.iterator({ gte: keys[order[i % order.length]], limit: RANGE_ENTRIES }).all()
        for (const [key] of all) read += key.length >> 4
      }
      return read
    },
  }
}

async function compare(title: string, count: number, candidates: readonly Candidate[]): Promise<void> {
  const wall = candidates.map((): number[] => [])
  const cpu = candidates.map((): number[] => [])
  let read = -1
  for (let round = -3; round < rounds; round++) {
    for (const [i, { name, run }] of candidates.entries()) {
      const cpuBefore = process.cpuUsage()
      const startMs = performance.now()
      const got = await run(count)
      const ms = performance.now() - startMs
      const { user, system } = process.cpuUsage(cpuBefore)
      if (read >= 0 && got !== read) throw new Error(`${title}: ${name} read ${got}, not ${read}`)
      read = got
      if (round < 0) continue
      wall[i].push((ms * 1000) / count)
      cpu[i].push((user + system) / count)
    }
  }
  console.log(`${title} (${count})`)
  const first = spreadOf(cpu[0])
  candidates.forEach(({ name }, i) => {
    const { min, median } = spreadOf(cpu[i])
    const ratio = (min / first.min).toFixed(2).padStart(6)
    console.log(
      `  ${name.padEnd(16)} cpu ${min.toFixed(3).padStart(8)} µs (median ${median.toFixed(3)})  ×${ratio}` +
        `   wall ${spreadOf(wall[i]).min.toFixed(3).padStart(8)} µs (median ${spreadOf(wall[i]).median.toFixed(3)})`,
    )
  })
}

const COUNTS: Readonly<Record<keyof Reads, number>> = {
  cached: 100_000,
  missing: 100_000,
  uncached: 20_000,
  crowded: 20_000,
  range: 5000,
  best: entries,
  scan: entries,
}

try {
  const filled = await fill()
  const subjects: { name: string; reads: Reads }[] = [{ name: 'this build', reads: await varveReads(varve, filled) }]
  if (otherBuild !== undefined) {
    const url = pathToFileURL(join(resolve(otherBuild), 'src/public/index.js')).href
    subjects.push({ name: 'other build', reads: await varveReads((await import(url)) as Varve, filled) })
  }
  if (engines.includes('classic-level')) subjects.push({ name: 'classic-level', reads: await levelReads(filled) })
  for (const name of only as (keyof Reads)[]) {
    await compare(
      name,
      COUNTS[name],
      subjects.map((subject) => ({ name: subject.name, run: subject.reads[name] })),
    )
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
