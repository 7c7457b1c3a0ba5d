/**
 * DB: an open database, as its user sees it: checks arguments and delegates. What it promises is in docs/durability.md.
 *
 * Threads  belongs to the thread that opened it
 */
import type { DirectoryLock } from '../base/environment.ts'
import { ClosedError, InvalidArgumentError, ReadOnlyError, type VarveError } from '../base/errors.ts'
import { toKey, toValue } from '../base/limits.ts'
import type { Durability, SequenceNumber } from '../base/types.ts'
import type { WriteBatch } from '../batch/write-batch.ts'
import { approximateSize } from './approximate-sizes.ts'
import { backupChunks } from './backup.ts'
import {
  type CompactOptions,
  type CopyOptions,
  checkCopyOptions,
  durabilityOf,
  type FlushOptions,
  type Input,
  type KeyRange,
  promised,
  type ReadOptions,
  type WriteOptions,
} from './call-options.ts'
import { type CheckpointInfo, checkpointSteps } from './checkpoint.ts'
import type { Cursor } from './cursor.ts'
import { Drivers } from './drivers.ts'
import { Engine } from './engine.ts'
import type { DBEvents } from './events.ts'
import type { Stats } from './layers.ts'
import { ChunkStream, runSteps } from './long-runs.ts'
import { checkCallOptions, type ResolvedOptions } from './options.ts'
import { property } from './properties.ts'
import { joinBatch, joinDeleteRange } from './range-writes.ts'
import { Reader } from './reader.ts'
import type { RecoveryInfo } from './recovery.ts'
import { type Entry, type Project, projectEntry, projectKey, projectValue, Scan, SyncScan } from './scan.ts'
import type { CursorOptions, ScanOptions } from './scan-options.ts'
import { Scanner } from './scanner.ts'
import { Snapshot } from './snapshot.ts'
import { gatherStats } from './stats.ts'
import type { WriteGroup } from './write-group.ts'

const READ_OPTIONS = new Set(['snapshot'])
const FLUSH_OPTIONS = new Set(['signal'])
const NO_OPTIONS = {}

type Found = Uint8Array<ArrayBuffer> | undefined

export class DB extends EventTarget {
  readonly #engine: Engine
  readonly #drivers: Drivers
  readonly #reader: Reader
  readonly #scanner: Scanner
  readonly #lock: DirectoryLock | undefined
  #closing: Promise<void> | undefined = undefined

  /** Made by `open`. @throws as Engine */
  constructor(directory: string, options: ResolvedOptions, lock: DirectoryLock | undefined) {
    super()
    this.#lock = lock
    this.#engine = new Engine(directory, options, (name, detail) => {
      this.dispatchEvent(new CustomEvent(name, { detail }))
      options.environment.publish(`varve:${name}`, { directory, ...detail })
    })
    this.#drivers = new Drivers(this.#engine)
    this.#reader = new Reader(this.#engine)
    this.#scanner = new Scanner(this.#engine)
  }

  /** What opening replayed, and what it discarded. */
  get recoveryInfo(): RecoveryInfo {
    return this.#engine.recoveryInfo
  }

  /** Whether the database takes calls. */
  get isOpen(): boolean {
    return this.#closing === undefined
  }

  /**
   * Call `listener` at every event of this type (events.ts): addEventListener, typed, with the event's detail as argument.
   * @returns ends the listening
   */
  on<K extends keyof DBEvents>(type: K, listener: (detail: DBEvents[K]) => void): () => void {
    const handle = (event: Event): void => listener((event as CustomEvent<DBEvents[K]>).detail)
    this.addEventListener(type, handle)
    return () => this.removeEventListener(type, handle)
  }

  // Writing. A promise resolves once the write has the durability asked for and is visible to every later read; if it is
  // rejected, `error.outcome` says whether the write may be found after reopening. Writes take effect in program order.

  /**
   * Set `key` to `value`.
   * @param key up to 64 KiB, may be empty; copied, as is the value
   * @param value up to 512 MiB, may be empty
   * @throws (rejects with) InvalidArgumentError, ClosedError, ReadOnlyError, StalledError: not written; IOError: see outcome
   */
  put(key: Input, value: Input, options?: WriteOptions): Promise<void> {
    return this.#commit(() => this.#joinPut(key, value, options))
  }

  /** As put, before it returns. Writes queued before it are completed first. */
  putSync(key: Input, value: Input, options?: WriteOptions): void {
    this.#drivers.commitSync(this.#joinPut(key, value, options))
  }

  /** Delete `key`, whether or not it exists. Errors as for put. */
  delete(key: Input, options?: WriteOptions): Promise<void> {
    return this.#commit(() => this.#joinDelete(key, options))
  }

  /** As delete, before it returns. */
  deleteSync(key: Input, options?: WriteOptions): void {
    this.#drivers.commitSync(this.#joinDelete(key, options))
  }

  /**
   * Delete every key of [start, end), whether or not there are any: one write, whatever it deletes. Equal ends delete nothing.
   * @throws (rejects with) as put; also InvalidArgumentError if `start` sorts after `end`
   */
  deleteRange(start: Input, end: Input, options?: WriteOptions): Promise<void> {
    return this.#commit(() => this.#joinDeleteRange(start, end, options))
  }

  /** As deleteRange, before it returns. */
  deleteRangeSync(start: Input, end: Input, options?: WriteOptions): void {
    this.#drivers.commitSync(this.#joinDeleteRange(start, end, options))
  }

  /** Apply a batch, all of it or nothing. The batch is copied, and may be used again at once. Errors as for put. */
  write(batch: WriteBatch, options?: WriteOptions): Promise<void> {
    return this.#commit(() => this.#joinBatch(batch, options))
  }

  /** As write, before it returns. */
  writeSync(batch: WriteBatch, options?: WriteOptions): void {
    this.#drivers.commitSync(this.#joinBatch(batch, options))
  }

  // Reading. The state that is read is that of the call, or of the snapshot; values are copies that the caller owns.

  /**
   * The value of `key`, or undefined if there is none.
   * @throws (rejects with) InvalidArgumentError, ClosedError, CorruptionError, IOError
   */
  get(key: Input, options?: ReadOptions): Promise<Found> {
    return promised(() => this.getSync(key, options))
  }

  /** As get; blocks while a block that is not cached is read from its table. */
  getSync(key: Input, options?: ReadOptions): Found {
    return this.#reader.get(toKey(key), this.#readSequence(options))
  }

  /** Whether `key` has a value. Errors as for get. */
  has(key: Input, options?: ReadOptions): Promise<boolean> {
    return promised(() => this.hasSync(key, options))
  }

  /** As has. */
  hasSync(key: Input, options?: ReadOptions): boolean {
    return this.#reader.has(toKey(key), this.#readSequence(options))
  }

  /** The values of several keys, in their order, all of one state. Reads each block once. Errors as for get. */
  getMany(keys: Iterable<Input>, options?: ReadOptions): Promise<Found[]> {
    return promised(() => this.getManySync(keys, options))
  }

  /** As getMany. */
  getManySync(keys: Iterable<Input>, options?: ReadOptions): Found[] {
    const sequence = this.#readSequence(options)
    if (typeof keys === 'string' || typeof keys?.[Symbol.iterator] !== 'function') {
      throw new InvalidArgumentError('getMany takes an array or another iterable of keys')
    }
    return this.#reader.getMany(
      Array.from(keys, (key) => toKey(key)),
      sequence,
    )
  }

  /** The entries of a range in key order, for `for await`. @throws InvalidArgumentError, ClosedError */
  scan(options?: ScanOptions): Scan<Entry> {
    return this.#scan(options, projectEntry)
  }

  /** The entries of a range in key order, for `for … of`. */
  scanSync(options?: ScanOptions): SyncScan<Entry> {
    return this.#scanSync(options, projectEntry)
  }

  /** As scan, but the keys alone. */
  keys(options?: ScanOptions): Scan<Uint8Array<ArrayBuffer>> {
    return this.#scan(options, projectKey)
  }

  keysSync(options?: ScanOptions): SyncScan<Uint8Array<ArrayBuffer>> {
    return this.#scanSync(options, projectKey)
  }

  /** As scan, but the values alone. */
  values(options?: ScanOptions): Scan<Uint8Array<ArrayBuffer>> {
    return this.#scan(options, projectValue)
  }

  valuesSync(options?: ScanOptions): SyncScan<Uint8Array<ArrayBuffer>> {
    return this.#scanSync(options, projectValue)
  }

  /** A position in a range, to be sought to any key of it. Close it (or `using`) when done. Errors as for scan. */
  cursor(options: CursorOptions = NO_OPTIONS): Cursor {
    this.#checkOpen()
    return this.#scanner.cursor(options)
  }

  /** The state of this moment, to read from later. Close it (or `using`) when done. */
  snapshot(): Snapshot {
    this.#checkOpen()
    return this.#engine.snapshots.create(this.#engine.lastSequence)
  }

  // Managing.

  /** Write all that has been written so far to tables, durably. Rejects if that fails; the data is then still in the log. */
  flush(options: FlushOptions = NO_OPTIONS): Promise<void> {
    return promised(() => {
      this.#checkWritable()
      checkCallOptions('flush', options, FLUSH_OPTIONS)
      return this.#drivers.flush(options.signal)
    })
  }

  /**
   * Compact all tables that hold keys from `start` to `end`, both included, and what is in memory of them: old versions and
   * tombstones that no snapshot needs are gone then. Without bounds, the whole database. Other compactions wait meanwhile.
   * @throws (rejects with) the error of a step that fails: CorruptionError of a damaged table, IOError; AbortedError,
   *   ClosedError. What has been compacted by then stays so, and nothing is lost
   */
  compactRange(start?: Input, end?: Input, options: CompactOptions = NO_OPTIONS): Promise<void> {
    return promised(() => {
      this.#checkWritable()
      checkCallOptions('compactRange', options, FLUSH_OPTIONS)
      const begin = start === undefined ? undefined : toKey(start).slice()
      return this.#drivers.compactRange(begin, end === undefined ? undefined : toKey(end).slice(), options.signal)
    })
  }

  /** About how many bytes of tables the keys from `start` to `end`, exclusive, take; what is in memory does not count. */
  approximateSize(start: Input, end: Input): Promise<number> {
    return promised(() => {
      this.#checkOpen()
      return approximateSize(this.#engine, toKey(start), toKey(end))
    })
  }

  /** As approximateSize, of several ranges, all of one state. */
  approximateSizes(ranges: Iterable<KeyRange>): Promise<number[]> {
    return promised(() => {
      this.#checkOpen()
      return Array.from(ranges, ({ start, end }) => approximateSize(this.#engine, toKey(start), toKey(end)))
    })
  }

  /**
   * Make a copy of the database in another directory, as of now: every write that has been acknowledged, while writes go on.
   * Tables are linked, where the file system can. The copy is a database of its own, and opens in LevelDB too.
   * @param target must not exist, or be an empty directory
   * @throws (rejects with) AlreadyExistsError, InvalidArgumentError, AbortedError, ClosedError, ReadOnlyError, CorruptionError,
   *   IOError; the target is then no database
   */
  checkpoint(target: string, options: CopyOptions = NO_OPTIONS): Promise<CheckpointInfo> {
    return promised(() => {
      this.#checkWritable()
      checkCopyOptions('checkpoint', options)
      const { signal, flush = false } = options
      const flushed = flush ? this.#drivers.flush(signal) : undefined
      return runSteps(checkpointSteps(this.#engine, target), this.#engine.environment, signal, flushed)
    })
  }

  /**
   * One of LevelDB's properties, as text: `leveldb.num-files-at-level<N>`, `leveldb.stats`, `leveldb.sstables` or
   * `leveldb.approximate-memory-usage`; undefined for any other name.
   */
  property(name: string): string | undefined {
    this.#checkOpen()
    return property(this.#engine, name)
  }

  /**
   * The database as a stream of bytes for `restore`: as of when its first chunk is asked for, while writes go on. Chunks are
   * made as they are asked for. A stream that is not read to its end must be ended: `break` does, or `return()`.
   * @throws InvalidArgumentError, ClosedError, ReadOnlyError; the stream rejects with those and AbortedError, CorruptionError, IOError
   */
  backup(options: CopyOptions = NO_OPTIONS): AsyncIterableIterator<Uint8Array<ArrayBuffer>> & AsyncDisposable {
    this.#checkWritable()
    checkCopyOptions('backup', options)
    const { signal, flush = false } = options
    const flushed = flush ? () => this.#drivers.flush(signal) : undefined
    return new ChunkStream(backupChunks(this.#engine), this.#engine.environment, signal, flushed)
  }

  /** The database's layers and counters, as they are now; also while it closes. */
  stats(): Stats {
    if (this.#engine.isReleased) throw closed()
    return gatherStats(this.#engine, this.#scanner.openCount)
  }

  /**
   * Complete the writes under way, end open scans and snapshots, flush what is in memory, and let go of the directory. Every
   * acknowledged write is durable when this resolves. Closing twice is one closing.
   * @throws (rejects with) IOError; the directory is let go of all the same
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #close(): Promise<void> {
    this.#scanner.close()
    return this.#drivers.close(this.#lock)
  }

  #scan<T>(options: ScanOptions | undefined, project: Project<T>): Scan<T> {
    this.#checkOpen()
    return new Scan(this.#scanner.begin(options ?? NO_OPTIONS, project), this.#engine.environment)
  }

  #scanSync<T>(options: ScanOptions | undefined, project: Project<T>): SyncScan<T> {
    this.#checkOpen()
    return new SyncScan(this.#scanner.begin(options ?? NO_OPTIONS, project))
  }

  #commit(join: () => WriteGroup): Promise<void> {
    let group: WriteGroup
    try {
      group = join()
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#drivers.commit(group)
  }

  #joinPut(key: Input, value: Input, options: WriteOptions | undefined): WriteGroup {
    const durability = this.#checkWrite(options)
    return this.#engine.queue.put(toKey(key), toValue(value), durability)
  }

  #joinDelete(key: Input, options: WriteOptions | undefined): WriteGroup {
    const durability = this.#checkWrite(options)
    return this.#engine.queue.delete(toKey(key), durability)
  }

  #joinDeleteRange(start: Input, end: Input, options: WriteOptions | undefined): WriteGroup {
    const durability = this.#checkWrite(options)
    return joinDeleteRange(this.#engine, toKey(start), toKey(end), durability)
  }

  #joinBatch(batch: WriteBatch, options: WriteOptions | undefined): WriteGroup {
    const durability = this.#checkWrite(options)
    return joinBatch(this.#engine, batch, durability)
  }

  #checkWrite(options: WriteOptions | undefined): Durability {
    this.#checkWritable()
    const { durability } = this.#engine.options
    return options === undefined ? durability : durabilityOf(options, durability)
  }

  #readSequence(options: ReadOptions | undefined): SequenceNumber {
    this.#checkOpen()
    if (options === undefined) return this.#engine.lastSequence
    checkCallOptions('a read', options, READ_OPTIONS)
    const { snapshot } = options
    if (snapshot === undefined) return this.#engine.lastSequence
    if (!(snapshot instanceof Snapshot)) throw new InvalidArgumentError('snapshot must be a Snapshot')
    return snapshot.sequenceFor(this.#engine.snapshots)
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closed()
  }

  #checkWritable(): void {
    this.#checkOpen()
    if (this.#engine.options.readOnly) throw new ReadOnlyError('the database was opened read-only')
  }
}

function closed(): VarveError {
  return new ClosedError('the database is closed', { outcome: 'not-written' })
}
