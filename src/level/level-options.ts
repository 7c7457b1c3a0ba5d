/**
 * The options of VarveLevel: classic-level's names, and what they become in varve. As in LevelDB, a number out of bounds is
 * moved to the nearest bound rather than refused; what is not given is varve's own default.
 *
 *   compression           true 'snappy', false 'none', or a codec's name
 *   cacheSize             blockCacheBytes
 *   writeBufferSize       writeBufferBytes
 *   blockSize             blockBytes
 *   blockRestartInterval  restartInterval
 *   maxOpenFiles          maxOpenFiles
 *   maxFileSize           maxFileBytes
 *   multithreading        accepted without effect: a directory has one opener, in whichever thread; a second one gets LEVEL_LOCKED
 *   fillCache             (of reads) accepted without effect: the cache itself keeps what is read often
 *   sync                  (of writes) durability 'disk'
 */
import type {
  AbstractBatchOptions,
  AbstractChainedBatchWriteOptions,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractGetManyOptions,
  AbstractGetOptions,
  AbstractHasManyOptions,
  AbstractHasOptions,
  AbstractIteratorOptions,
  AbstractKeyIteratorOptions,
  AbstractOpenOptions,
  AbstractPutOptions,
  AbstractValueIteratorOptions,
  Transcoder,
} from 'abstract-level'
import type { Options } from '../public/index.ts'
import { LevelError } from './level-error.ts'

/** varve's own options; the order of keys is bytewise, which sublevels rely on. */
export type EngineOptions = Omit<Options, 'comparator' | 'createIfMissing' | 'errorIfExists'>

/** Options of `open`. */
export interface OpenOptions extends AbstractOpenOptions {
  /** Compression of new tables, as in varve's `open`; false is 'none'. Default true, which is 'snappy'. */
  readonly compression?: boolean | NonNullable<Options['compression']> | undefined
  /** Bytes of tables' data blocks kept in memory. Default 32 MiB. */
  readonly cacheSize?: number | undefined
  /** Bytes of writes kept in memory before they are written to a table. 16 KiB to 1 GiB; default 64 MiB. */
  readonly writeBufferSize?: number | undefined
  /** Uncompressed bytes of a table's block. 1 KiB to 4 MiB; default 4096. */
  readonly blockSize?: number | undefined
  /** How many tables are kept open at most. 16 to 50,000; default 1000. */
  readonly maxOpenFiles?: number | undefined
  /** Keys between two restart points of a block. 1 to 1024; default 16. */
  readonly blockRestartInterval?: number | undefined
  /** Bytes at which a compaction begins the next table. 4 KiB to 1 GiB; default 8 MiB. */
  readonly maxFileSize?: number | undefined
  /** Accepted without effect, for programs written for classic-level: only one VarveLevel at a time can open a directory. */
  readonly multithreading?: boolean | undefined
}

/** Options of the constructor. */
export interface DatabaseOptions<K, V> extends AbstractDatabaseOptions<K, V>, Omit<OpenOptions, 'passive'> {
  /** Any other option of varve's `open`. If an option of classic-level sets the same, classic-level's counts. */
  readonly varve?: EngineOptions | undefined
}

export interface FillCacheOptions {
  /** Accepted without effect. */
  readonly fillCache?: boolean | undefined
}

export interface SyncOptions {
  /** Sync the write to the disk before the promise resolves, so that it survives power loss. Default false. */
  readonly sync?: boolean | undefined
}

export interface ScanningOptions extends FillCacheOptions {
  /** Bytes of the keys, values or both that it gives after which one call of `nextv` returns. Default 16 KiB. */
  readonly highWaterMarkBytes?: number | undefined
}

export interface GetOptions<K, V> extends AbstractGetOptions<K, V>, FillCacheOptions {}
export interface GetManyOptions<K, V> extends AbstractGetManyOptions<K, V>, FillCacheOptions {}
export interface HasOptions<K> extends AbstractHasOptions<K>, FillCacheOptions {}
export interface HasManyOptions<K> extends AbstractHasManyOptions<K>, FillCacheOptions {}
export interface PutOptions<K, V> extends AbstractPutOptions<K, V>, SyncOptions {}
export interface DelOptions<K> extends AbstractDelOptions<K>, SyncOptions {}
export interface BatchOptions<K, V> extends AbstractBatchOptions<K, V>, SyncOptions {}
export interface ChainedBatchWriteOptions extends AbstractChainedBatchWriteOptions, SyncOptions {}
export interface IteratorOptions<K, V> extends AbstractIteratorOptions<K, V>, ScanningOptions {}
export interface KeyIteratorOptions<K> extends AbstractKeyIteratorOptions<K>, ScanningOptions {}
export interface ValueIteratorOptions<K, V> extends AbstractValueIteratorOptions<K, V>, ScanningOptions {}

/** Options of `approximateSize` and `compactRange`. */
export interface StartEndOptions<K> {
  /** Encodes `start` and `end`. Default: the database's. */
  readonly keyEncoding?: string | Transcoder.PartialEncoder<K> | undefined
}

const KIB = 1024
const MIB = 1024 * KIB

interface Mapping {
  readonly from: 'cacheSize' | 'writeBufferSize' | 'blockSize' | 'maxOpenFiles' | 'blockRestartInterval' | 'maxFileSize'
  readonly to: keyof Options
  readonly min: number
  readonly max: number
}

const MAPPINGS: readonly Mapping[] = [
  { from: 'cacheSize', to: 'blockCacheBytes', min: 0, max: Number.MAX_SAFE_INTEGER },
  { from: 'writeBufferSize', to: 'writeBufferBytes', min: 16 * KIB, max: 1024 * MIB },
  { from: 'blockSize', to: 'blockBytes', min: 1 * KIB, max: 4 * MIB },
  { from: 'maxOpenFiles', to: 'maxOpenFiles', min: 16, max: 50_000 },
  { from: 'blockRestartInterval', to: 'restartInterval', min: 1, max: 1024 },
  { from: 'maxFileSize', to: 'maxFileBytes', min: 4 * KIB, max: 1024 * MIB },
]

/** The constructor's options without varve's own: what abstract-level gets, and hands on to `_open` and to hooks. */
export function levelOptions<K, V>(
  options: DatabaseOptions<K, V> | undefined,
): AbstractDatabaseOptions<K, V> | undefined {
  if (typeof options !== 'object' || options === null) return options
  const { varve: _, ...rest } = options
  return rest
}

/**
 * The options of the engine.
 * @param varve its own, of the constructor
 * @param given those of `_open`, which abstract-level has merged from the constructor's and open's
 * @throws LEVEL_INVALID_ARGUMENT for a comparator, of a program whose types nobody has checked
 */
export function engineOptions(varve: EngineOptions | undefined, given: OpenOptions): Options {
  if ((varve as Options | undefined)?.comparator !== undefined)
    throw new LevelError(
      'LEVEL_INVALID_ARGUMENT',
      'option varve.comparator: the keys of a VarveLevel are in bytewise order',
    )
  const options: Record<string, unknown> = {
    ...varve,
    createIfMissing: given.createIfMissing,
    errorIfExists: given.errorIfExists,
  }
  const { compression } = given
  if (compression !== undefined) {
    options.compression = compression === true ? 'snappy' : compression === false ? 'none' : compression
  }
  for (const { from, to, min, max } of MAPPINGS) {
    const value = given[from]
    // What is no number, classic-level takes as not given.
    if (typeof value === 'number' && !Number.isNaN(value)) options[to] = Math.trunc(Math.min(Math.max(value, min), max))
  }
  return options as Options
}
