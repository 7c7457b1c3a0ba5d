/**
 * The options of `open`, their defaults and their bounds. Units are in the names. An unknown option is refused, since a
 * misspelt one would silently not hold.
 */
import {
  bytewiseComparator,
  type Comparator,
  customComparator,
  isReservedName,
  type KeyOrder,
} from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import { InvalidArgumentError, NotSupportedError } from '../base/errors.ts'
import { checkCallOptions } from '../base/known-options.ts'
import type { Durability } from '../base/types.ts'
import type { TableFormat } from '../jobs/output-format.ts'
import { type Compression, ZSTD_MISSING } from '../table/compression.ts'
import { levelBytesFor } from '../version/level-sizes.ts'
import { LEVELS } from '../version/version-edit.ts'
import type { Logger } from './reports/event-log.ts'

/**
 * What to do about a log that was cut short or damaged. `pointInTime`: discard an end that was cut short, refuse damage. `strict`:
 * refuse both. `salvage`: discard both, and keep the logs in `lost`. See docs/durability.md.
 */
export type RecoveryMode = 'strict' | 'pointInTime' | 'salvage'

/** Options of `open`. */
export interface Options {
  /** Create the directory and the database if there is none. Default true. */
  readonly createIfMissing?: boolean | undefined
  /** Refuse to open a database that exists. Default false. */
  readonly errorIfExists?: boolean | undefined
  /** Take no lock, write nothing, and show the database as it is at the opening; after a StaleError, open it again. Default false. */
  readonly readOnly?: boolean | undefined
  /** Bytes at which a MemTable is frozen and flushed, and a fresh one takes over. 4 KiB to 1 GiB; default 64 MiB. */
  readonly writeBufferBytes?: number | undefined
  /** Frozen MemTables that may wait for their flush before writes wait too. 1 to 64; default 3. */
  readonly maxImmutableMemTables?: number | undefined
  /** The MemTable's index. Default: 'radix', for bytewise order only; 'skiplist' with a comparator of your own. */
  readonly memtable?: 'radix' | 'skiplist' | undefined
  /**
   * Give every entry of a MemTable a checksum, which is verified whenever it is read or flushed: damage in memory is then an
   * error, and does not reach a table. Default false.
   */
  readonly memtableChecksums?: boolean | undefined
  /** A key order of your own, which the database keeps for ever. Default: by unsigned bytes. */
  readonly comparator?: KeyOrder | undefined
  /** Uncompressed bytes at which a data block of a table ends; with 1, every entry has its own. 1 to 4 MiB; default 4096. */
  readonly blockBytes?: number | undefined
  /** Keys from one restart point of a block (a key that is stored whole) to the next. 1 to 1024; default 16. */
  readonly restartInterval?: number | undefined
  /**
   * Bloom filter bits per key, 0 for no filter: a number for all levels, or an array by level from level 0 on, whose last element
   * is for all deeper levels, too. 0 to 64; default 10, or 0 with a comparator of your own: a filter knows a key by its bytes, so
   * ask for it only if keys with different bytes are never equal in your order.
   */
  readonly bloomBitsPerKey?: number | readonly number[] | undefined
  /** Compression of new tables; all kinds can be read. 'zstd' needs Node.js 22.15 or 23.8, and few LevelDBs read it. Default 'snappy'. */
  readonly compression?: Compression | undefined
  /** Bytes of tables' data blocks that are cached in memory, 0 for none. Default 32 MiB. */
  readonly blockCacheBytes?: number | undefined
  /**
   * Bytes of tables' indexes and filters that are kept in memory: a fortieth to a thirtieth of the data that is read or written.
   * Tables that do not fit are closed, and opened again for reads, which costs far more than reading a block. The table that was used
   * last stays open even if it alone is larger, as one with many long keys may be. At least 1 MiB; default 128 MiB.
   */
  readonly tableCacheBytes?: number | undefined
  /** How many tables are kept open at most. 16 to 50,000; default 1000. */
  readonly maxOpenFiles?: number | undefined
  /** How far a write gets before it is acknowledged, unless it says otherwise. Default 'os'. */
  readonly durability?: Durability | undefined
  /** Longest time in milliseconds that a 'buffered' write stays in varve's own buffer. 0 to 60,000; default 10. */
  readonly walBufferMs?: number | undefined
  /** Bytes of 'buffered' writes at which the buffer is written. 0 to 64 MiB; default 64 KiB. */
  readonly walBufferBytes?: number | undefined
  /** What to do about a log that was cut short or damaged. Default 'pointInTime'. */
  readonly recovery?: RecoveryMode | undefined
  /**
   * Write empty batches to the log, by which recovery tells a log that was cut short from a damaged one. Default true. Without them,
   * a log that a power loss has torn in its middle is refused as damaged.
   */
  readonly walMarkers?: boolean | undefined
  /**
   * Worker threads, started when needed, and ended when they have been idle: 2 to run a flush and a compaction at the same
   * time, 1 to run them in turn, 0 to run them on the calling thread, as with a comparator of your own. Default 2.
   */
  readonly workers?: number | undefined
  /**
   * Bytes at which a compaction ends a table and begins the next one. 4 KiB to 1 GiB; default 8 MiB. Smaller tables make compactions
   * finer, but there are more of them, each with a file descriptor, an index and a filter of its own.
   */
  readonly maxFileBytes?: number | undefined
  /** Tables in level 0 at which a compaction merges them into level 1. 1 to 1000, and at most the slowdown trigger; default 4. */
  readonly level0CompactionTrigger?: number | undefined
  /** Tables in level 0 from which writes are slowed down. From the compaction trigger to the stop trigger; default 12. */
  readonly level0SlowdownTrigger?: number | undefined
  /** Tables in level 0 at which writes stop until there are fewer. From the slowdown trigger to 100,000; default 24. */
  readonly level0StopTrigger?: number | undefined
  /**
   * Bytes at which level 1 is full; each deeper level may have ten times as many. 4 KiB to 1 TiB; default
   * level0CompactionTrigger times writeBufferBytes, at least 10 MiB: about what level 0 holds when it is merged.
   */
  readonly levelBytes?: number | undefined
  /** Compact tables that many lookups search in vain, as LevelDB does. Default false: filters make such lookups cheap. */
  readonly seekCompaction?: boolean | undefined
  /**
   * Once nobody has written for a fifth of a second, merge level 0, together with a MemTable that is small beside it, if that rewrites
   * no more of level 1 than it takes, and levels below if that rewrites at most eight times as much: reads then search fewer tables, and
   * old versions take less space. Default true.
   */
  readonly mergeAtRest?: boolean | undefined
  /** Longest time in milliseconds that a write waits for room before it is refused (StalledError). 1 to 86,400,000; default 60,000. */
  readonly stallTimeoutMs?: number | undefined
  /**
   * Receives a line about each opening, recovery, flush, compaction, wait, failure, damage and closing. pino and console fit. What it
   * throws is ignored. Default: none.
   */
  readonly logger?: Logger | undefined
  /** Files, clock, randomness and threads. Default: Node's. */
  readonly environment?: Environment | undefined
}

type Defined<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> }

/** Options with every default filled in; immutable. */
export interface ResolvedOptions extends Defined<Omit<Options, 'comparator' | 'logger' | 'environment'>> {
  readonly comparator: Comparator
  readonly logger: Logger | undefined
  readonly environment: Environment
}

type Check = (name: string, value: unknown) => void

function integer(min: number, max: number): Check {
  return (name, value) => {
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return
    throw new InvalidArgumentError(`option ${name} must be an integer from ${min} to ${max}, not ${show(value)}`)
  }
}

function oneOf(...choices: readonly (string | boolean)[]): Check {
  return (name, value) => {
    if (choices.includes(value as string)) return
    throw new InvalidArgumentError(`option ${name} must be ${choices.map(show).join(' or ')}, not ${show(value)}`)
  }
}

function object(...members: readonly string[]): Check {
  return (name, value) => {
    if (typeof value === 'object' && value !== null && members.every((member) => member in value)) return
    throw new InvalidArgumentError(`option ${name} must be an object with ${members.join(', ')}`)
  }
}

function objectOfFunctions(...members: readonly string[]): Check {
  return (name, value) => {
    object(...members)(name, value)
    const other = members.find((member) => typeof (value as Record<string, unknown>)[member] !== 'function')
    if (other !== undefined) throw new InvalidArgumentError(`option ${name} must have a function ${other}`)
  }
}

function oneOrMany(check: Check, manyMax: number): Check {
  return (name, value) => {
    if (!Array.isArray(value)) return check(name, value)
    if (value.length === 0 || value.length > manyMax)
      throw new InvalidArgumentError(`option ${name} must have 1 to ${manyMax} elements, not ${value.length}`)
    for (const [i, element] of value.entries()) check(`${name}[${i}]`, element)
  }
}

const BLOOM_BITS_PER_KEY = 10
const KIB = 1024
const MIB = 1024 * KIB
const boolean = oneOf(true, false)

/** Name → [default, check]. */
const TABLE: { readonly [K in keyof Required<Options>]: readonly [default_: unknown, check: Check] } = {
  createIfMissing: [true, boolean],
  errorIfExists: [false, boolean],
  readOnly: [false, boolean],
  writeBufferBytes: [64 * MIB, integer(4 * KIB, 1024 * MIB)],
  maxImmutableMemTables: [3, integer(1, 64)],
  memtable: [undefined, oneOf('radix', 'skiplist')],
  memtableChecksums: [false, boolean],
  comparator: [bytewiseComparator, object('name', 'compare')],
  blockBytes: [4 * KIB, integer(1, 4 * MIB)],
  restartInterval: [16, integer(1, 1024)],
  bloomBitsPerKey: [undefined, oneOrMany(integer(0, 64), LEVELS)],
  compression: ['snappy', oneOf('none', 'snappy', 'zstd')],
  blockCacheBytes: [32 * MIB, integer(0, Number.MAX_SAFE_INTEGER)],
  tableCacheBytes: [128 * MIB, integer(MIB, Number.MAX_SAFE_INTEGER)],
  maxOpenFiles: [1000, integer(16, 50_000)],
  durability: ['os', oneOf('buffered', 'os', 'disk')],
  walBufferMs: [10, integer(0, 60_000)],
  walBufferBytes: [64 * KIB, integer(0, 64 * MIB)],
  recovery: ['pointInTime', oneOf('strict', 'pointInTime', 'salvage')],
  walMarkers: [true, boolean],
  workers: [2, integer(0, 2)],
  maxFileBytes: [8 * MIB, integer(4 * KIB, 1024 * MIB)],
  level0CompactionTrigger: [4, integer(1, 1000)],
  level0SlowdownTrigger: [12, integer(1, 100_000)],
  level0StopTrigger: [24, integer(1, 100_000)],
  levelBytes: [undefined, integer(4 * KIB, 1024 * 1024 * MIB)],
  seekCompaction: [false, boolean],
  mergeAtRest: [true, boolean],
  stallTimeoutMs: [60_000, integer(1, 24 * 3600 * 1000)],
  logger: [undefined, objectOfFunctions('debug', 'info', 'warn', 'error')],
  environment: [undefined, object('files', 'clock')],
}

/**
 * Check options and fill in the defaults.
 * @param makeEnvironment makes the default environment, if none is given
 * @throws InvalidArgumentError for an unknown option or a value out of bounds
 */
export function resolveOptions(options: Options, makeEnvironment: () => Environment): ResolvedOptions {
  checkCallOptions('open', options, new Set(Object.keys(TABLE)))
  const resolved = Object.create(null) as { -readonly [K in keyof ResolvedOptions]: unknown }
  for (const [name, [fallback, check]] of Object.entries(TABLE)) {
    // Read once, wherever it is: a class of the caller's has it in its prototype.
    const value = options[name as keyof Options]
    if (value !== undefined) check(name, value)
    resolved[name as keyof ResolvedOptions] = value ?? fallback
  }
  const environment = (resolved.environment as Environment | undefined) ?? makeEnvironment()
  resolved.environment = environment
  if (resolved.compression === 'zstd' && environment.codecs?.zstd === undefined) {
    throw new NotSupportedError(`option compression cannot be 'zstd': ${ZSTD_MISSING}`)
  }
  // The caller's array may change.
  if (Array.isArray(resolved.bloomBitsPerKey)) resolved.bloomBitsPerKey = Object.freeze([...resolved.bloomBitsPerKey])
  if (resolved.comparator !== bytewiseComparator) resolved.comparator = customOrder(resolved.comparator as KeyOrder)
  const isBytewise = resolved.comparator === bytewiseComparator
  resolved.memtable ??= isBytewise ? 'radix' : 'skiplist'
  resolved.bloomBitsPerKey ??= isBytewise ? BLOOM_BITS_PER_KEY : 0
  if (resolved.memtable === 'radix' && !isBytewise) {
    throw new InvalidArgumentError("option memtable must be 'skiplist' with a comparator of your own, not 'radix'")
  }
  const { writeBufferBytes, level0CompactionTrigger } = resolved as unknown as ResolvedOptions
  resolved.levelBytes ??= levelBytesFor(writeBufferBytes, level0CompactionTrigger)
  checkTriggers(resolved as unknown as ResolvedOptions)
  return Object.freeze(resolved) as unknown as ResolvedOptions
}

/** A stop that no compaction ends must not be. */
function checkTriggers(options: ResolvedOptions): void {
  const { level0CompactionTrigger, level0SlowdownTrigger, level0StopTrigger } = options
  if (level0CompactionTrigger <= level0SlowdownTrigger && level0SlowdownTrigger <= level0StopTrigger) return
  throw new InvalidArgumentError(
    'options level0CompactionTrigger, level0SlowdownTrigger and level0StopTrigger must ascend, not be ' +
      `${level0CompactionTrigger}, ${level0SlowdownTrigger} and ${level0StopTrigger}`,
  )
}

function customOrder(order: KeyOrder): Comparator {
  if (typeof order.name !== 'string' || isReservedName(order.name)) {
    throw new InvalidArgumentError(
      'a comparator needs a name of its own, not starting with leveldb., rocksdb. or varve.',
    )
  }
  if (typeof order.compare !== 'function') throw new InvalidArgumentError('a comparator needs a function compare(a, b)')
  return customComparator(order)
}

/** How tables of a level are written. */
export function tableFormat(options: ResolvedOptions, level: number): TableFormat {
  const { blockBytes, restartInterval, bloomBitsPerKey, compression } = options
  return { blockBytes, restartInterval, bloomBitsPerKey: bloomBitsOf(bloomBitsPerKey, level), compression }
}

function bloomBitsOf(bits: number | readonly number[], level: number): number {
  return typeof bits === 'number' ? bits : bits[Math.min(level, bits.length - 1)]
}

/** Filters are read if any are written; how many bits a key has is in the filter. */
export function usesFilters({ bloomBitsPerKey }: Pick<ResolvedOptions, 'bloomBitsPerKey'>): boolean {
  return typeof bloomBitsPerKey === 'number' ? bloomBitsPerKey > 0 : bloomBitsPerKey.some((bits) => bits > 0)
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  // An object may have no form as text.
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
