/**
 * varve/level: VarveLevel, an abstract-level 3 database over varve, to be put where a ClassicLevel was. It declares what
 * classic-level declares, takes its options and gives its error codes; a directory of classic-level's opens as it is. This
 * file is the whole public face of `varve/level`.
 *
 * Order    reads see the state of their call; writes take effect in the order of their calls, `clear` among them
 * Errors   level-error.ts;  options  level-options.ts
 * Threads  reads are answered on the calling thread, from memory or with a synchronous read of one block
 * @module varve/level
 */
import {
  type AbstractBatchOperation,
  type AbstractIterator,
  type AbstractKeyIterator,
  AbstractLevel,
  type AbstractSnapshot,
  type AbstractValueIterator,
  type Transcoder,
} from 'abstract-level'
import {
  type AdminOptions,
  type DB,
  destroy,
  nodeEnvironment,
  open,
  type RepairOptions,
  repair,
  WriteBatch,
} from '../public/index.ts'
import { clear } from './clear.ts'
import type { ReaderOptions } from './entry-reader.ts'
import { type Data, fromBytes, toBytes } from './format.ts'
import {
  checkLocation,
  checkRange,
  manifest,
  type Operation,
  type PrivateReadOptions,
  readOptions,
  writeOptions,
} from './level-arguments.ts'
import { LevelChainedBatch } from './level-chained-batch.ts'
import { LevelError, rethrow, toLevelError } from './level-error.ts'
import { LevelIterator, LevelKeyIterator, LevelValueIterator } from './level-iterators.ts'
import {
  type BatchOptions,
  type DatabaseOptions,
  type DelOptions,
  type EngineOptions,
  engineOptions,
  type GetManyOptions,
  type GetOptions,
  type HasManyOptions,
  type HasOptions,
  type IteratorOptions,
  type KeyIteratorOptions,
  levelOptions,
  type OpenOptions,
  type PutOptions,
  type StartEndOptions,
  type SyncOptions,
  type ValueIteratorOptions,
} from './level-options.ts'
import type { RangeOptions } from './level-range.ts'
import { LevelSnapshot } from './level-snapshot.ts'
import { Turn } from './turn.ts'

export type { LevelError } from './level-error.ts'
export type {
  BatchOptions,
  ChainedBatchWriteOptions,
  DatabaseOptions,
  DelOptions,
  EngineOptions,
  FillCacheOptions as ReadOptions,
  GetManyOptions,
  GetOptions,
  HasManyOptions,
  HasOptions,
  IteratorOptions,
  KeyIteratorOptions,
  OpenOptions,
  PutOptions,
  ScanningOptions as AdditionalIteratorOptions,
  StartEndOptions,
  SyncOptions as WriteOptions,
  ValueIteratorOptions,
} from './level-options.ts'
export type BatchOperation<TDatabase, K, V> = AbstractBatchOperation<TDatabase, K, V>
export type ChainedBatch<TDatabase, K, V> = LevelChainedBatch<TDatabase, K, V>
export type Iterator<TDatabase, K, V> = AbstractIterator<TDatabase, K, V>
export type KeyIterator<TDatabase, K> = AbstractKeyIterator<TDatabase, K>
export type ValueIterator<TDatabase, K, V> = AbstractValueIterator<TDatabase, K, V>
export type Snapshot = AbstractSnapshot

export interface VarveLevel<KDefault = string, VDefault = string> {
  open(): Promise<void>
  open(options: OpenOptions): Promise<void>

  get(key: KDefault): Promise<VDefault | undefined>
  get<K = KDefault, V = VDefault>(key: K, options: GetOptions<K, V>): Promise<V | undefined>

  getSync(key: KDefault): VDefault | undefined
  getSync<K = KDefault, V = VDefault>(key: K, options: GetOptions<K, V>): V | undefined

  getMany(keys: KDefault[]): Promise<(VDefault | undefined)[]>
  getMany<K = KDefault, V = VDefault>(keys: K[], options: GetManyOptions<K, V>): Promise<(V | undefined)[]>

  has(key: KDefault): Promise<boolean>
  has<K = KDefault>(key: K, options: HasOptions<K>): Promise<boolean>

  hasMany(keys: KDefault[]): Promise<boolean[]>
  hasMany<K = KDefault>(keys: K[], options: HasManyOptions<K>): Promise<boolean[]>

  put(key: KDefault, value: VDefault): Promise<void>
  put<K = KDefault, V = VDefault>(key: K, value: V, options: PutOptions<K, V>): Promise<void>

  del(key: KDefault): Promise<void>
  del<K = KDefault>(key: K, options: DelOptions<K>): Promise<void>

  batch(operations: BatchOperation<this, KDefault, VDefault>[]): Promise<void>
  batch<K = KDefault, V = VDefault>(
    operations: BatchOperation<this, K, V>[],
    options: BatchOptions<K, V>,
  ): Promise<void>
  batch(): ChainedBatch<this, KDefault, VDefault>

  iterator(): Iterator<this, KDefault, VDefault>
  iterator<K = KDefault, V = VDefault>(options: IteratorOptions<K, V>): Iterator<this, K, V>

  keys(): KeyIterator<this, KDefault>
  keys<K = KDefault>(options: KeyIteratorOptions<K>): KeyIterator<this, K>

  values(): ValueIterator<this, KDefault, VDefault>
  values<K = KDefault, V = VDefault>(options: ValueIteratorOptions<K, V>): ValueIterator<this, K, V>
}

/** A database with classic-level's interface, options and error codes, over varve's engine. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are AbstractLevel's, with VarveLevel's own options
export class VarveLevel<KDefault = string, VDefault = string> extends AbstractLevel<
  string | Buffer | Uint8Array,
  KDefault,
  VDefault
> {
  readonly #location: string
  readonly #varve: EngineOptions | undefined
  #db!: DB
  #turn!: Turn
  /** Writes whose promises have not been settled. */
  #writing = 0
  readonly #clearing = new Set<Promise<void>>()
  readonly #written = (): void => {
    this.#writing--
  }
  readonly #failed = (error: unknown): never => {
    this.#writing--
    return rethrow(error)
  }

  /**
   * @param location directory of the database
   * @param options those of `open` may be given here as well
   */
  constructor(location: string, options?: DatabaseOptions<KDefault, VDefault>) {
    super(manifest(), levelOptions(options))
    checkLocation(location)
    this.#location = location
    this.#varve = options?.varve
  }

  /** Location that was passed to the constructor. */
  get location(): string {
    return this.#location
  }

  /**
   * Remove the database, and nothing else that is in the directory. No database there is no error.
   * @throws (rejects with) LEVEL_LOCKED, LEVEL_IO_ERROR
   */
  static async destroy(location: string, options?: AdminOptions): Promise<void> {
    checkLocation(location)
    try {
      await destroy(location, options)
    } catch (error) {
      const mapped = toLevelError(error) as LevelError
      if (mapped.code !== 'LEVEL_DATABASE_NOT_FOUND') throw mapped
    }
  }

  /**
   * Make a damaged database usable again, as far as it goes; what is replaced is kept in its subdirectory `lost`.
   * @throws (rejects with) LEVEL_LOCKED, LEVEL_IO_ERROR, LEVEL_DATABASE_NOT_FOUND
   */
  static async repair(location: string, options?: RepairOptions): Promise<void> {
    checkLocation(location)
    await repair(location, options).catch(rethrow)
  }

  /** About how many bytes of tables the keys from `start`, inclusive, to `end`, exclusive, take. */
  approximateSize(start: KDefault, end: KDefault): Promise<number>
  approximateSize<K = KDefault>(start: K, end: K, options: StartEndOptions<K>): Promise<number>
  async approximateSize(...range: unknown[]): Promise<number> {
    const [start, end, options] = checkRange(range)
    if (this.status === 'opening')
      return this.deferAsync(() => this.approximateSize(start, end, options as StartEndOptions<unknown>))
    this.#checkOpen('approximateSize()')
    return this.#db.approximateSize(...this.#encodeRange(start, end, options)).catch(rethrow)
  }

  /** Compact the tables that hold keys from `start` to `end`. */
  compactRange(start: KDefault, end: KDefault): Promise<void>
  compactRange<K = KDefault>(start: K, end: K, options: StartEndOptions<K>): Promise<void>
  async compactRange(...range: unknown[]): Promise<void> {
    const [start, end, options] = checkRange(range)
    if (this.status === 'opening')
      return this.deferAsync(() => this.compactRange(start, end, options as StartEndOptions<unknown>))
    this.#checkOpen('compactRange()')
    return this.#db.compactRange(...this.#encodeRange(start, end, options)).catch(rethrow)
  }

  /** One of LevelDB's properties, such as `leveldb.stats`; empty for any other name. */
  getProperty(property: string): string {
    if (typeof property !== 'string') throw new TypeError("The first argument 'property' must be a string")
    this.#checkOpen('getProperty()')
    return this.#db.property(property) ?? ''
  }

  // What abstract-level calls.

  async _open(options: OpenOptions): Promise<void> {
    const given = engineOptions(this.#varve, options)
    const environment = given.environment ?? nodeEnvironment()
    try {
      this.#db = await open(this.#location, { ...given, environment })
    } catch (error) {
      throw toLevelError(error)
    }
    this.#turn = new Turn(environment)
  }

  async _close(): Promise<void> {
    await Promise.allSettled(this.#clearing)
    await this.#db.close().catch(rethrow)
  }

  async _get(key: Data, options: PrivateReadOptions): Promise<Data | undefined> {
    return this._getSync(key, options)
  }

  _getSync(key: Data, options: PrivateReadOptions): Data | undefined {
    try {
      const value = this.#db.getSync(toBytes(key), readOptions(options))
      return value === undefined ? undefined : fromBytes(value, options.valueEncoding)
    } catch (error) {
      throw toLevelError(error)
    }
  }

  async _getMany(keys: readonly Data[], options: PrivateReadOptions): Promise<(Data | undefined)[]> {
    try {
      const values: (Data | undefined)[] = this.#db.getManySync(keys.map(toBytes), readOptions(options))
      const { valueEncoding } = options
      if (valueEncoding === 'view') return values
      return values.map((value) => (value === undefined ? undefined : fromBytes(value as Uint8Array, valueEncoding)))
    } catch (error) {
      throw toLevelError(error)
    }
  }

  async _has(key: Data, options: PrivateReadOptions): Promise<boolean> {
    try {
      return this.#db.hasSync(toBytes(key), readOptions(options))
    } catch (error) {
      throw toLevelError(error)
    }
  }

  async _hasMany(keys: readonly Data[], options: PrivateReadOptions): Promise<boolean[]> {
    try {
      const read = readOptions(options)
      return keys.map((key) => this.#db.hasSync(toBytes(key), read))
    } catch (error) {
      throw toLevelError(error)
    }
  }

  _put(key: Data, value: Data, options: SyncOptions): Promise<void> {
    return this.#settle(this.#db.put(toBytes(key), toBytes(value), writeOptions(options)))
  }

  _del(key: Data, options: SyncOptions): Promise<void> {
    return this.#settle(this.#db.delete(toBytes(key), writeOptions(options)))
  }

  async _batch(operations: readonly Operation[], options: SyncOptions): Promise<void> {
    const batch = new WriteBatch()
    try {
      for (const { type, key, value } of operations) {
        if (type === 'put') batch.put(toBytes(key), toBytes(value))
        else batch.delete(toBytes(key))
      }
    } catch (error) {
      throw toLevelError(error)
    }
    return this.#write(batch, options)
  }

  _chainedBatch(): LevelChainedBatch<this, KDefault, VDefault> {
    return new LevelChainedBatch(this, (batch, options) => this.#write(batch, options))
  }

  async _clear(range: RangeOptions): Promise<void> {
    try {
      // What was written before is part of what is cleared.
      if (this.#writing > 0) this.#db.writeSync(new WriteBatch())
      const clearing = clear(this.#db, range, this.#turn)
      this.#clearing.add(clearing)
      await clearing.finally(() => this.#clearing.delete(clearing))
    } catch (error) {
      throw toLevelError(error)
    }
  }

  _iterator(options: ReaderOptions): LevelIterator<this, KDefault, VDefault> {
    return new LevelIterator(this, this.#db, options, this.#turn)
  }

  _keys(options: ReaderOptions): LevelKeyIterator<this, KDefault> {
    return new LevelKeyIterator(this, this.#db, options, this.#turn)
  }

  _values(options: ReaderOptions): LevelValueIterator<this, KDefault, VDefault> {
    return new LevelValueIterator(this, this.#db, options, this.#turn)
  }

  _snapshot(options: object): LevelSnapshot {
    return new LevelSnapshot(options, this.#db.snapshot())
  }

  #write(batch: WriteBatch, options: SyncOptions): Promise<void> {
    return this.#settle(this.#db.write(batch, writeOptions(options)))
  }

  #settle(writing: Promise<void>): Promise<void> {
    this.#writing++
    return writing.then(this.#written, this.#failed)
  }

  #checkOpen(call: string): void {
    if (this.status === 'open') return
    throw new LevelError('LEVEL_DATABASE_NOT_OPEN', `Database is not open: cannot call ${call}`)
  }

  #encodeRange(start: unknown, end: unknown, options: unknown): [start: Uint8Array, end: Uint8Array] {
    const given = typeof options === 'object' && options !== null ? (options as StartEndOptions<unknown>) : {}
    // Without one it is the database's, which the declaration does not know.
    const encoding = this.keyEncoding(given.keyEncoding as Transcoder.MixedEncoding<unknown, Data, unknown>)
    return [toBytes(encoding.encode(start)), toBytes(encoding.encode(end))]
  }
}
