/**
 * DB: checks arguments and delegates. What a database promises is in docs/durability.md.
 *
 * Threads  belongs to the thread that opened it
 */
import { checkComparable } from '../base/comparator.ts'
import type { DirectoryLock } from '../base/environment.ts'
import { InvalidArgumentError, ReadOnlyError } from '../base/errors.ts'
import { checkCallOptions } from '../base/known-options.ts'
import { copyOfKey, toKey, toValue } from '../base/limits.ts'
import type { Bytes, Durability } from '../base/types.ts'
import type { WriteBatch } from '../batch/write-batch.ts'
import {
  type CheckpointInfo,
  type CompactOptions,
  type CopyOptions,
  checkCopyOptions,
  closed,
  durabilityOf,
  type FlushOptions,
  type Input,
  type KeyRange,
  promised,
  type WriteOptions,
} from './call-options.ts'
import { CHANGING } from './calls.ts'
import { backupChunks } from './copies/backup.ts'
import { CopyMoment, closedBeforeCopied } from './copies/capture.ts'
import { checkpointSteps } from './copies/checkpoint.ts'
import { ChunkStream, runSteps } from './copies/long-runs.ts'
import { DBReads } from './db-reads.ts'
import { Drivers } from './drivers.ts'
import { Engine } from './engine.ts'
import type { RecoveryInfo } from './opening/recovery-info.ts'
import type { ResolvedOptions } from './options.ts'
import { approximateSize } from './read/approximate-sizes.ts'
import type { EventLog } from './reports/event-log.ts'
import { gatherStats } from './reports/gather-stats.ts'
import { property } from './reports/properties.ts'
import type { Stats } from './reports/stats.ts'
import type { Snapshot } from './snapshot.ts'
import type { ShareHandle } from './threads/share-handle.ts'
import { CommitDriver } from './write/commit-driver.ts'
import { joinBatch, joinDeleteRange, joinEncoded } from './write/range-writes.ts'
import type { WriteGroup } from './write/write-group.ts'

const FLUSH_OPTIONS = new Set(['signal'])
const NO_OPTIONS = {}

/** An open database, as `open` returns it. Call its methods on the thread that opened it; for other threads there is `share`. */
export class DB extends DBReads {
  /** As it was given. */
  readonly #directory: string
  readonly #engine: Engine
  readonly #commits: CommitDriver
  readonly #drivers: Drivers
  /** Backups that have been begun, and may not have been read to their end. */
  #backups: ChunkStream[] = []
  #closing: Promise<void> | undefined = undefined

  /** Made by `open`. @internal @param path of `directory`, wherever the process works @throws as Engine */
  constructor(
    directory: string,
    path: string,
    options: ResolvedOptions,
    lock: DirectoryLock | undefined,
    log: EventLog | undefined,
  ) {
    let engine: Engine | undefined
    super(path, options.environment, (emit) => {
      engine = new Engine(path, options, lock, (name, detail) => {
        log?.event(name, detail)
        emit(name, detail)
      })
      return engine
    })
    this.#directory = directory
    this.#engine = engine as unknown as Engine
    this.#commits = new CommitDriver(this.#engine)
    this.#drivers = new Drivers(this.#engine, this.#commits, log)
  }

  /** What the opening replayed from logs, and what it discarded. */
  get recoveryInfo(): RecoveryInfo {
    return this.#engine.recoveryInfo
  }

  /** Whether the database takes calls: until `close` is called. */
  get isOpen(): boolean {
    return this.#closing === undefined
  }

  // Writing. A promise resolves once the write has the durability asked for and is visible to every later read; if it is
  // rejected, `error.outcome` says whether the write may be found after reopening. Writes take effect in program order.

  /**
   * Set `key` to `value`.
   * @param key up to 64 KiB, may be empty; copied, as is the value
   * @param value up to 512 MiB, may be empty
   * @throws (rejects with) InvalidArgumentError, ClosedError, ReadOnlyError, StalledError: not written; IOError: see its `outcome`
   */
  put(key: Input, value: Input, options?: WriteOptions): Promise<void> {
    return this.#commit(() => this.#joinPut(key, value, options))
  }

  /** As put, but completed when it returns. Writes that were queued before it are completed first. */
  putSync(key: Input, value: Input, options?: WriteOptions): void {
    this.#commits.commitSync(this.#joinPut(key, value, options))
  }

  /** Delete `key`, whether or not it exists. Errors as for put. */
  delete(key: Input, options?: WriteOptions): Promise<void> {
    return this.#commit(() => this.#joinDelete(key, options))
  }

  /** As delete, but completed when it returns. */
  deleteSync(key: Input, options?: WriteOptions): void {
    this.#commits.commitSync(this.#joinDelete(key, options))
  }

  /**
   * Delete every key from `start`, inclusive, to `end`, exclusive: one write, however many there are. Equal ends delete nothing.
   * @throws (rejects with) as put; also InvalidArgumentError if `start` sorts after `end`
   */
  deleteRange(start: Input, end: Input, options?: WriteOptions): Promise<void> {
    return this.#commit(() => this.#joinDeleteRange(start, end, options))
  }

  /** As deleteRange, but completed when it returns. */
  deleteRangeSync(start: Input, end: Input, options?: WriteOptions): void {
    this.#commits.commitSync(this.#joinDeleteRange(start, end, options))
  }

  /**
   * Apply a batch, all of it or nothing. The batch is copied, and may be used again at once. Errors as for put; also
   * InvalidArgumentError if it has more operations than fit into a MemTable: two million fit, where a range delete counts as twelve
   */
  write(batch: WriteBatch, options?: WriteOptions): Promise<void> {
    return this.#commit(() => this.#joinBatch(batch, options))
  }

  /** As write, but completed when it returns. */
  writeSync(batch: WriteBatch, options?: WriteOptions): void {
    this.#commits.commitSync(this.#joinBatch(batch, options))
  }

  override snapshot(): Snapshot {
    this.checkOpen()
    return this.#engine.snapshots.create(this.#engine.lastSequence)
  }

  /**
   * A handle with which one other thread of this process reads this database, live and in place, by `attach`. Its port has to be
   * transferred: `new Worker(program, { workerData: handle, transferList: [handle.port] })`.
   * @throws ClosedError; NotSupportedError if the environment has no threads that see the same files
   */
  share(): ShareHandle {
    this.checkOpen()
    return this.#engine.sharing.share(({ encoded, rangeCount, durability }) =>
      this.#commit(() => {
        const level = this.#checkWrite(durability && { durability })
        return joinEncoded(this.#engine, encoded, rangeCount, level)
      }),
    )
  }

  // Managing.

  /** Write what is in memory to tables, durably. Rejects if that fails; the data is still in the log then. */
  flush(options: FlushOptions = NO_OPTIONS): Promise<void> {
    return promised(() => {
      this.#checkWritable()
      checkCallOptions('flush', options, FLUSH_OPTIONS)
      return this.#drivers.flush(options.signal)
    })
  }

  /**
   * Compact all tables that hold keys from `start` to `end`, both included, and what memory holds of these. Afterwards, old versions and
   * tombstones that no snapshot needs are gone. Without bounds: the whole database. Other compactions wait meanwhile. If `start` sorts
   * after `end`, there is nothing to do.
   * @throws (rejects with) the error of a step that fails: CorruptionError of a damaged table, IOError; InvalidArgumentError,
   *   AbortedError, ClosedError. What has been compacted by then stays compacted, and nothing is lost
   */
  compactRange(start?: Input, end?: Input, options: CompactOptions = NO_OPTIONS): Promise<void> {
    return promised(() => {
      this.#checkWritable()
      checkCallOptions('compactRange', options, FLUSH_OPTIONS)
      const smallest = start === undefined ? undefined : copyOfKey(this.#toKey(start))
      const largest = end === undefined ? undefined : copyOfKey(this.#toKey(end))
      return this.#drivers.compactRange({ smallest, largest }, options.signal)
    })
  }

  /**
   * About how many bytes the keys from `start`, inclusive, to `end`, exclusive, take in tables; what is in memory does not count. 0 if
   * `start` sorts after `end`.
   */
  approximateSize(start: Input, end: Input): Promise<number> {
    return promised(() => {
      this.checkOpen()
      return approximateSize(this.#engine, this.#toKey(start), this.#toKey(end))
    })
  }

  /** As approximateSize, for several ranges, all in one state. */
  approximateSizes(ranges: Iterable<KeyRange>): Promise<number[]> {
    return promised(() => {
      this.checkOpen()
      if (typeof ranges?.[Symbol.iterator] !== 'function')
        throw new InvalidArgumentError('approximateSizes takes an array or another iterable of ranges')
      return Array.from(ranges, (range) =>
        approximateSize(this.#engine, this.#toKey(range?.start), this.#toKey(range?.end)),
      )
    })
  }

  /**
   * Make a copy of the database in another directory, as it is now, with every write that has been acknowledged, while writes go on.
   * Tables are hard-linked where possible. The copy is a database of its own, and opens in LevelDB, too: if memory holds range
   * deletes, it is flushed first.
   * @param target must not exist, or be an empty directory
   * @throws (rejects with) AlreadyExistsError, InvalidArgumentError, AbortedError, ClosedError, ReadOnlyError, CorruptionError,
   *   IOError; the target is then no database
   */
  checkpoint(target: string, options: CopyOptions = NO_OPTIONS): Promise<CheckpointInfo> {
    return promised(() => {
      this.#checkWritable()
      checkCopyOptions('checkpoint', options)
      const { signal, flush = false } = options
      const moment = new CopyMoment(this.#engine)
      const copy = checkpointSteps(this.#engine, target, moment)
      return this.#engine.calls.during(CHANGING, () => {
        const flushed = moment.begin(flush, () => this.#drivers.flush(signal))
        return runSteps(copy, this.#engine.environment, signal, flushed)
      })
    })
  }

  /**
   * One of LevelDB's properties, as text: `leveldb.num-files-at-level<N>`, `leveldb.stats`, `leveldb.sstables` or
   * `leveldb.approximate-memory-usage`; undefined for any other name.
   */
  property(name: string): string | undefined {
    this.checkOpen()
    return property(this.#engine, name)
  }

  /**
   * The database as a stream of bytes for `restore`, as of the moment when its first chunk is asked for, while writes go on. Chunks
   * are made on demand. If you do not read the stream to its end, end it, by `break` or `return()`.
   * @throws InvalidArgumentError, ClosedError, ReadOnlyError; the stream rejects with those and AbortedError, CorruptionError, IOError
   */
  backup(options: CopyOptions = NO_OPTIONS): AsyncIterableIterator<Uint8Array<ArrayBuffer>> & AsyncDisposable {
    this.#checkWritable()
    checkCopyOptions('backup', options)
    const { signal, flush = false } = options
    const moment = new CopyMoment(this.#engine)
    const begin = (): Promise<void> | undefined => {
      if (!this.isOpen) throw closedBeforeCopied()
      this.#backups = [...this.#backups.filter(({ isOver }) => !isOver), stream]
      return moment.begin(flush, () => this.#drivers.flush(signal))
    }
    const stream = new ChunkStream(backupChunks(this.#engine, moment), this.#engine.environment, signal, begin)
    return stream
  }

  /** The database's layers and counters, as of now. Works while the database closes, too. */
  stats(): Stats {
    if (this.#engine.isReleased) throw closed()
    return gatherStats(this.#engine, this.#directory, this.openScans)
  }

  /**
   * Complete the writes under way, end open scans and snapshots, flush what is in memory, and release the directory. Every
   * acknowledged write is durable when this resolves. A second call returns the same promise.
   * @throws (rejects with) IOError; the directory is released all the same
   */
  close(): Promise<void> {
    const { calls } = this.#engine
    return (
      this.#closing ??
      calls.during(CHANGING, () => {
        this.#closing = this.#close()
        return this.#closing
      })
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #close(): Promise<void> {
    this.#engine.sharing.end()
    this.endScans()
    for (const backup of this.#backups) backup.fail(closedBeforeCopied())
    return this.#drivers.close()
  }

  #commit(join: () => WriteGroup): Promise<void> {
    let group: WriteGroup
    try {
      group = join()
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#commits.commit(group)
  }

  #joinPut(key: Input, value: Input, options: WriteOptions | undefined): WriteGroup {
    const durability = this.#checkWrite(options)
    return this.#engine.queue.put(this.#toKey(key), toValue(value), durability)
  }

  #joinDelete(key: Input, options: WriteOptions | undefined): WriteGroup {
    const durability = this.#checkWrite(options)
    return this.#engine.queue.delete(this.#toKey(key), durability)
  }

  #toKey(input: Input): Bytes {
    const key = toKey(input)
    checkComparable(this.#engine.options.comparator, key, 0, key.length)
    return key
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

  protected override checkOpen(): void {
    if (this.#closing !== undefined) throw closed()
  }

  #checkWritable(): void {
    this.checkOpen()
    if (this.#engine.options.readOnly) throw new ReadOnlyError('the database was opened read-only')
  }
}
