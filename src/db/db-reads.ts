/**
 * DBReads: the calls that read a database, the same on the thread that owns it (db.ts) and on those that read along
 * (db-reader.ts). The state that is read is that of the call, or of the snapshot; values are copies that the caller owns.
 *
 * Threads  belongs to one thread
 */
import type { Environment } from '../base/environment.ts'
import { AbortedError, InvalidArgumentError } from '../base/errors.ts'
import { checkCallOptions } from '../base/known-options.ts'
import { copyOfKey, toKey } from '../base/limits.ts'
import type { SequenceNumber } from '../base/types.ts'
import { type Input, promised, type ReadOptions } from './call-options.ts'
import type { Cursor } from './read/cursor.ts'
import { explain } from './read/explain.ts'
import type { Explanation } from './read/explanation.ts'
import type { ReadHost } from './read/read-host.ts'
import { Reader } from './read/reader.ts'
import { type Entry, type Project, projectEntry, projectKey, projectValue, Scan, SyncScan } from './read/scan.ts'
import type { CursorOptions, ScanOptions } from './read/scan-options.ts'
import { Scanner } from './read/scanner.ts'
import { checkEventName, type DBEvents, type Emit } from './reports/events.ts'
import { Listeners } from './reports/listeners.ts'
import { Snapshot } from './snapshot.ts'

const READ_OPTIONS = new Set(['snapshot'])
const NO_OPTIONS = {}
/** What whoever goes on with a scan is told. */
const SCAN_ENDED = 'the scan has ended, since a call to the database was cut off in its midst'

/** A value that the caller owns, or undefined if there is none. */
type Found = Uint8Array<ArrayBuffer> | undefined

/** The calls that read a database, on the thread that opened it and on those that attached. */
export abstract class DBReads extends EventTarget {
  readonly #host: ReadHost
  readonly #reader: Reader
  readonly #scanner: Scanner
  readonly #listeners = new Listeners(this)

  /** @internal @param connect makes what is read; what it emits becomes events of this object, and messages of the diagnostics channels */
  protected constructor(directory: string, environment: Environment, connect: (emit: Emit) => ReadHost) {
    super()
    this.#host = connect((name, detail) => {
      this.#listeners.tell(new CustomEvent(name, { detail }))
      try {
        environment.publish(`varve:${name}`, { directory, ...detail })
      } catch (error) {
        // As of a listener: it is told, and stops nothing that the event is about.
        environment.soon(() => {
          throw error
        })
      }
    })
    this.#listeners.opened(environment)
    this.#reader = new Reader(this.#host)
    this.#scanner = new Scanner(this.#host)
    this.#host.calls.onCut = (doing) => {
      this.#host.startAfresh(doing, () => this.#scanner.abort(new AbortedError(SCAN_ENDED)))
    }
  }

  /**
   * Call `listener` with the detail of every event of this type (see DBEvents): a typed addEventListener.
   * @returns a function that stops it
   * @throws InvalidArgumentError
   */
  on<K extends keyof DBEvents>(type: K, listener: (detail: DBEvents[K]) => void): () => void {
    return this.#listen(type, listener, false)
  }

  /** As on, but for the next event only. With it and `removeListener`, the functions `once` and `on` of node:events take a database. */
  once<K extends keyof DBEvents>(type: K, listener: (detail: DBEvents[K]) => void): () => void {
    return this.#listen(type, listener, true)
  }

  /** Stop what `on` or `once` has begun with this listener; if several times, the last. */
  removeListener<K extends keyof DBEvents>(type: K, listener: (detail: DBEvents[K]) => void): void {
    this.#listeners.remove(type, listener)
  }

  /**
   * The value of `key`, or undefined if there is none.
   * @throws (rejects with) InvalidArgumentError, ClosedError, CorruptionError, IOError; StaleError of a read-only opening;
   *   StalledError on an attached thread whose owner does not answer
   */
  get(key: Input, options?: ReadOptions): Promise<Found> {
    return promised(() => this.getSync(key, options))
  }

  /** As get. Both read a block that is not cached from its file, on this thread. */
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

  /** The values of several keys, in the order of `keys`, all in one state. Reads each block once. Errors as for get. */
  getMany(keys: Iterable<Input>, options?: ReadOptions): Promise<Found[]> {
    return promised(() => this.getManySync(keys, options))
  }

  /** As getMany. */
  getManySync(keys: Iterable<Input>, options?: ReadOptions): Found[] {
    this.checkOpen()
    if (typeof keys === 'string' || typeof keys?.[Symbol.iterator] !== 'function') {
      throw new InvalidArgumentError('getMany takes an array or another iterable of keys')
    }
    // Whoever makes keys as they are asked for may make each in the same memory.
    const list = Array.from(keys, Array.isArray(keys) ? (key) => toKey(key) : (key) => copyOfKey(key))
    return this.#reader.getMany(list, this.#readSequence(options))
  }

  /**
   * How a lookup of `key` goes: which MemTables and tables it asks, where in them, what their filters say, and which versions of the
   * key lie there. Reads the blocks that a filter spares a lookup, too. Errors as for get.
   */
  explain(key: Input, options?: ReadOptions): Promise<Explanation> {
    return promised(() => this.explainSync(key, options))
  }

  /** As explain. */
  explainSync(key: Input, options?: ReadOptions): Explanation {
    return explain(this.#host, toKey(key), this.#readSequence(options))
  }

  /**
   * The entries of a range in key order, for `for await`. Errors as for get; an error of a read ends the scan. It keeps the tables and
   * MemTables that it began with until it ends: with the loop, or with the last entry. If you call `next` and stop before that, close it.
   */
  scan(options?: ScanOptions): Scan<Entry> {
    return this.#scan(options, projectEntry)
  }

  /** As scan, for `for … of`. */
  scanSync(options?: ScanOptions): SyncScan<Entry> {
    return this.#scanSync(options, projectEntry)
  }

  /** As scan, but only the keys. */
  keys(options?: ScanOptions): Scan<Uint8Array<ArrayBuffer>> {
    return this.#scan(options, projectKey)
  }

  /** As keys, for `for … of`. */
  keysSync(options?: ScanOptions): SyncScan<Uint8Array<ArrayBuffer>> {
    return this.#scanSync(options, projectKey)
  }

  /** As scan, but only the values. */
  values(options?: ScanOptions): Scan<Uint8Array<ArrayBuffer>> {
    return this.#scan(options, projectValue)
  }

  /** As values, for `for … of`. */
  valuesSync(options?: ScanOptions): SyncScan<Uint8Array<ArrayBuffer>> {
    return this.#scanSync(options, projectValue)
  }

  /** A position in a range, which can seek to any key of it. Close it when done, or declare it with `using`. Errors as for scan. */
  cursor(options: CursorOptions = NO_OPTIONS): Cursor {
    this.checkOpen()
    return this.#scanner.cursor(options)
  }

  /** The state of this moment, to read from later. Close it when done, or declare it with `using`. */
  abstract snapshot(): Snapshot

  /** @throws ClosedError if nothing can be read; the layers are up to date then */
  protected abstract checkOpen(): void

  protected get openScans(): number {
    return this.#scanner.openCount
  }

  protected endScans(): void {
    this.#scanner.close()
  }

  #listen<K extends keyof DBEvents>(type: K, listener: (detail: DBEvents[K]) => void, once: boolean): () => void {
    checkEventName(type)
    if (typeof listener !== 'function') throw new InvalidArgumentError('a listener must be a function')
    return this.#listeners.add(type, listener, once)
  }

  #scan<T>(options: ScanOptions | undefined, project: Project<T>): Scan<T> {
    this.checkOpen()
    return new Scan(this.#scanner.begin(options === undefined ? NO_OPTIONS : options, project), this.#host.environment)
  }

  #scanSync<T>(options: ScanOptions | undefined, project: Project<T>): SyncScan<T> {
    this.checkOpen()
    return new SyncScan(this.#scanner.begin(options === undefined ? NO_OPTIONS : options, project))
  }

  #readSequence(options: ReadOptions | undefined): SequenceNumber {
    this.checkOpen()
    if (options === undefined) return this.#host.lastSequence
    checkCallOptions('a read', options, READ_OPTIONS)
    const { snapshot } = options
    if (snapshot === undefined) return this.#host.lastSequence
    if (!(snapshot instanceof Snapshot)) throw new InvalidArgumentError('snapshot must be a Snapshot')
    return snapshot.sequenceFor(this.#host.snapshots)
  }
}
