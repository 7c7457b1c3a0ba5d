/**
 * Scenes: what is measured, as data. A scene is a set of keys and values and the steps that every peer takes on them in turn;
 * a step is one call, many times. The first step of a scene, and each that says so, begins with an empty database.
 */
import type { KeyFileSpec } from '../memtable/key-file.ts'
import type { Call } from '../workloads.ts'
import type { PeerName } from './peers.ts'

/** Which keys: all in the order of the file, which is random; the same in ascending order; random present or missing ones; all but some keys seldom. */
export type Source = 'added' | 'ascending' | 'present' | 'missing' | 'zipfian'

export interface Step {
  readonly name: string
  readonly title: string
  readonly call: Call
  readonly source: Source
  readonly operations: number
  /** Entries that an operation reads; default 1. Figures are an operation's but of whole scans, where they are an entry's. */
  readonly rangeEntries?: number
  /** Of ranges: all entries that begin with so many bytes of the key. */
  readonly prefixBytes?: number
  readonly readShare?: number
  readonly isReverse?: boolean
  readonly isFresh?: boolean
  /** Who takes part; default: all of the scene. */
  readonly peers?: readonly PeerName[]
}

export interface Scene {
  readonly name: string
  readonly title: string
  readonly keys: Omit<KeyFileSpec, 'names'> & { readonly names?: 'packages' | 'cities' }
  readonly isDurable: boolean
  readonly rounds: number
  readonly steps: readonly Step[]
  readonly peers: readonly PeerName[]
}

export interface Sizes {
  readonly rounds: number
  /** Of the large database; of others. */
  readonly million: number
  readonly entries: number
  readonly reads: number
  readonly awaited: number
  readonly synced: number
  readonly valueBytesMax: number
  readonly logBytes: number
  readonly loopEntries: number
  /** Operations of a round that does not count, at most. */
  readonly warmUp: number
  /** Every other size of values and no further decimal keys: what runs for one runs for all. */
  readonly isShort: boolean
}

const MIB = 1024 * 1024
const STANDARD: Sizes = {
  rounds: 5,
  million: 1_000_000,
  entries: 100_000,
  reads: 100_000,
  awaited: 30_000,
  synced: 500,
  valueBytesMax: 32 * MIB,
  logBytes: 64 * MIB,
  loopEntries: 10_000_000,
  warmUp: 10_000,
  isShort: false,
}
const QUICK: Sizes = {
  rounds: 1,
  million: 20_000,
  entries: 2000,
  reads: 2000,
  awaited: 500,
  synced: 32,
  valueBytesMax: 2 * MIB,
  logBytes: 2 * MIB,
  loopEntries: 50_000,
  warmUp: 500,
  isShort: true,
}

/** Of two builds of varve beside each other. */
const BUILDS: Sizes = { ...STANDARD, rounds: 3, million: 200_000, entries: 50_000, reads: 50_000, warmUp: 5000 }

export function sizesOf(which: 'standard' | 'quick' | 'builds'): Sizes {
  return { standard: STANDARD, quick: QUICK, builds: BUILDS }[which]
}

const STORES: readonly PeerName[] = ['varve', 'classic-level', 'lmdb', 'sqlite']
const ALL: readonly PeerName[] = [...STORES, 'memory-level', 'memtable', 'bare']
/** Of reads, of which the MemTable alone has no part. */
const READERS: readonly PeerName[] = [...STORES, 'bare']
const SYNCHRONOUS: readonly PeerName[] = ['varve', 'lmdb', 'sqlite', 'bare']
const SEED = 1

/** Every scene that is a database under calls; main.ts has the others. */
export function scenesOf(sizes: Sizes): Scene[] {
  return [million(sizes), puts(sizes), synced(sizes), ...valueSizes(sizes), ...keySets(sizes)]
}

/** What two builds of varve are compared by. */
export function scenesOfBuilds(sizes: Sizes): Scene[] {
  const peers = ['varve', 'before'] as const
  return [million(sizes), puts(sizes)].map((scene) => {
    return { ...scene, peers, steps: scene.steps.map(({ peers: _, ...step }) => step) }
  })
}

function million({ million: entries, reads, rounds }: Sizes): Scene {
  const few = Math.floor(reads / 20)
  const all = STORES
  return {
    name: 'million',
    title: `A database of ${entries.toLocaleString('en-US')} entries`,
    keys: { kind: 'decimal', entries, probes: reads, seed: SEED },
    isDurable: false,
    rounds: Math.min(rounds, 3),
    peers: [...READERS, 'memtable'],
    steps: [
      step('fillbatch', 'fill at random, batches of 1,000', 'batch1000', 'added', entries),
      step('getfirst', 'getSync, random, each block for the first time', 'getSync', 'present', reads, all),
      step('get', 'getSync, random, the same once more', 'getSync', 'present', reads, READERS),
      step('getawait', 'awaited get, random', 'get', 'present', reads / 5, all),
      step('missing', 'getSync, missing keys', 'getSync', 'missing', reads, READERS),
      step('scan', 'whole scan, for await', 'scan', 'added', entries, all),
      step('scanbest', 'whole scan, the fastest way', 'scanBest', 'added', entries, READERS),
      step('scaninplace', 'whole scan, keys and values in place', 'scanInPlace', 'added', entries, ['varve']),
      {
        ...step('scanreverse', 'whole scan backwards, the fastest way', 'scanBest', 'added', entries, all),
        isReverse: true,
      },
      { ...step('range10', '10 entries from a random key', 'range', 'present', few, all), rangeEntries: 10 },
      {
        ...step('range1000', '1,000 entries from a random key', 'range', 'present', few / 25, all),
        rangeEntries: 1000,
      },
      { ...step('prefix', 'all entries of a prefix of 4 bytes', 'range', 'present', few / 5, all), prefixBytes: 4 },
      { ...step('mixed50', 'half reads, half writes, zipfian', 'mixed', 'zipfian', reads / 2, all), readShare: 0.5 },
      { ...step('mixed95', '95 % reads, zipfian', 'mixed', 'zipfian', reads / 2, all), readShare: 0.95 },
      step('overwrite', 'overwrite, 100 puts in flight', 'put100', 'added', reads / 2, all),
    ],
  }
}

function puts({ entries, awaited, reads, rounds }: Sizes): Scene {
  const stores: PeerName[] = [...STORES, 'memory-level']
  const fresh = { isFresh: true }
  return {
    name: 'puts',
    title: 'Single puts into an empty database',
    keys: { kind: 'decimal', entries, probes: reads, seed: SEED },
    isDurable: false,
    rounds,
    peers: ALL,
    steps: [
      { ...step('put1', 'awaited put, 1 in flight', 'put', 'added', awaited), ...fresh },
      { ...step('put10', 'awaited puts, 10 in flight', 'put10', 'added', entries / 4, stores), ...fresh },
      { ...step('fillseq', 'ascending keys, 100 in flight', 'put100', 'ascending', entries / 2, stores), ...fresh },
      { ...step('put100', 'awaited puts, 100 in flight', 'put100', 'added', entries / 2, stores), ...fresh },
      {
        ...step('put1000', 'awaited puts, 1,000 in flight', 'put1000', 'added', entries, [...stores, 'memtable']),
        ...fresh,
      },
      {
        ...step('putsync', 'putSync, a write(2) each', 'putSync', 'added', entries / 4, [...SYNCHRONOUS, 'memtable']),
        ...fresh,
      },
    ],
  }
}

function synced({ synced: operations, rounds }: Sizes): Scene {
  const fresh = { isFresh: true }
  return {
    name: 'disk',
    title: 'Puts that survive a power cut',
    keys: { kind: 'decimal', entries: operations * 64, probes: 1, seed: SEED },
    isDurable: true,
    rounds,
    peers: READERS,
    steps: [
      { ...step('disk1', 'awaited put, 1 writer', 'put', 'added', operations), ...fresh },
      { ...step('disksync', 'putSync', 'putSync', 'added', operations, SYNCHRONOUS), ...fresh },
      {
        ...step('disk64', 'awaited puts, 64 writers', 'put64', 'added', operations * 16, [
          'varve',
          'classic-level',
          'lmdb',
        ]),
        ...fresh,
      },
    ],
  }
}

const VALUE_BYTES: Readonly<Record<string, number>> = {
  '10 B': 10,
  '100 B': 100,
  '1 KB': 1000,
  '10 KB': 10_000,
  '1 MB': 1_000_000,
}

function valueSizes({ entries: most, valueBytesMax, rounds, isShort }: Sizes): Scene[] {
  const chosen = Object.entries(VALUE_BYTES).filter((_, i) => !isShort || i % 2 === 0)
  return chosen.map(([title, valueBytes]) => {
    const entries = Math.max(2, Math.min(most / 2, Math.floor(valueBytesMax / valueBytes)))
    return {
      name: `value${valueBytes}`,
      title: `Values of ${title}`,
      keys: { kind: 'decimal', entries, probes: entries, seed: SEED, valueBytes },
      isDurable: false,
      rounds: Math.min(rounds, 3),
      peers: STORES,
      steps: [
        step('fill', 'puts at random, 100 in flight', 'put100', 'added', entries),
        step('get', 'getSync, random', 'getSync', 'present', entries),
      ],
    }
  })
}

function keySets({ entries: most, reads, rounds, isShort }: Sizes): Scene[] {
  const entries = most / 2
  const scene = (name: string, title: string, keys: Pick<Scene['keys'], 'kind' | 'names'>): Scene => ({
    name,
    title,
    keys: { ...keys, entries, probes: reads, seed: SEED },
    isDurable: false,
    rounds: Math.min(rounds, 3),
    peers: [...STORES, 'memory-level'],
    steps: [
      step('fill', 'fill at random, batches of 1,000', 'batch1000', 'added', entries),
      step('get', 'getSync, random', 'getSync', 'present', reads),
      step('missing', 'getSync, missing keys', 'getSync', 'missing', reads, READERS),
      step('scan', 'whole scan, the fastest way', 'scanBest', 'added', entries),
    ],
  })
  return [
    ...(isShort ? [] : [scene('decimal', 'Keys of 16 random digits', { kind: 'decimal' })]),
    scene('uuid', 'Keys that are UUIDs', { kind: 'uuid' }),
    scene('packages', 'Keys that are names of npm packages', { kind: 'names', names: 'packages' }),
    scene('cities', 'Keys that are cities: country, region, name, number', { kind: 'names', names: 'cities' }),
  ]
}

function step(
  name: string,
  title: string,
  call: Call,
  source: Source,
  operations: number,
  peers?: readonly PeerName[],
): Step {
  const count = Math.max(1, Math.floor(operations))
  return { name, title, call, source, operations: count, ...(peers === undefined ? {} : { peers }) }
}
