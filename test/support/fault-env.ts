/**
 * FaultEnvironment: an environment around another one that writes down every file-system call, one line each, and makes
 * chosen calls fail, or stops the world before one: from then on nothing reaches the files any more, and every call throws
 * CrashedError. With the calls counted, a test can fail, or crash, at each of them in turn.
 *
 * A line is the operation, the path, and for an append the byte count: `append 000005.log 140`. Paths are relative to the
 * database's directory, whose own path is left out: `sync-dir`, `rename 000004.dbtmp CURRENT`.
 *
 * There are no worker threads here: jobs run inline, so that their calls are counted too.
 */
import type {
  Clock,
  Codecs,
  DirectoryLock,
  Environment,
  FileStatus,
  FileSystem,
  RandomAccessFile,
  WorkerThread,
  WritableFile,
} from '../../src/base/environment.ts'
import type { Bytes } from '../../src/base/types.ts'
import { ioError, systemError } from '../../src/env/io-error.ts'
import { MemoryWritableFile } from '../../src/env/memory-files.ts'
import type { Fault, FaultPredicate, FileOperation } from './fault-call.ts'

export interface FaultEnvironmentOptions {
  /** The database's directory, which recorded paths are relative to. */
  readonly directory?: string
  /** Whether reads from open files are calls too: recorded, counted, and subject to faults. No by default. */
  readonly countReads?: boolean
  readonly faultAt?: FaultPredicate
  /** The index of the call before which the world stops; none by default. */
  readonly stopAt?: number
}

/** The simulated process is dead. Not an error that the engine knows: whatever it does about it must not matter. */
export class CrashedError extends Error {
  override readonly name: string = 'CrashedError'

  constructor() {
    super('the simulated process has crashed')
  }
}

/** What an error calls an operation, where that is not its own name. */
const ACTIONS: Partial<Record<FileOperation, string>> = {
  append: 'write',
  status: 'look at',
  'make-dir': 'make directory',
  'sync-dir': 'sync',
}

export class FaultEnvironment implements Environment {
  readonly files: FileSystem
  readonly clock: Clock
  readonly codecs: Codecs
  readonly #inner: Environment
  readonly #calls: CallLog

  constructor(inner: Environment, options: FaultEnvironmentOptions = {}) {
    this.#inner = inner
    this.#calls = new CallLog(options)
    this.clock = inner.clock
    this.codecs = inner.codecs ?? {}
    this.files = new FaultFiles(inner.files, this.#calls)
  }

  /** The calls that have begun, also those made to fail, since the start or the last takeCalls. */
  get calls(): string[] {
    return this.#calls.lines
  }

  /** Calls begun since the start; the index of the next one. */
  get callCount(): number {
    return this.#calls.count
  }

  /** Whether the call at `stopAt` was reached. */
  get crashed(): boolean {
    return this.#calls.crashed
  }

  /** The recorded lines, which are forgotten. */
  takeCalls(): string[] {
    return this.#calls.lines.splice(0)
  }

  /** Decide from now on which calls fail; undefined: none. */
  setFaults(faultAt: FaultPredicate | undefined): void {
    this.#calls.faultAt = faultAt
  }

  /** Stop the world before the call of this index; Infinity: never. */
  setStop(stopAt: number): void {
    this.#calls.stopAt = stopAt
  }

  random32(): number {
    return this.#inner.random32()
  }

  later(delayMs: number, task: () => void, keepAlive?: boolean): () => void {
    return this.#inner.later(delayMs, () => this.#unlessCrashed(task), keepAlive)
  }

  keepFromTransfer(buffer: ArrayBuffer): boolean {
    return this.#inner.keepFromTransfer(buffer)
  }

  readonly sleep = (durationMs: number): void => this.#inner.sleep(durationMs)
  readonly waitWhile: Environment['waitWhile'] = (...wait) => this.#inner.waitWhile(...wait)

  soon(task: () => void): void {
    this.#inner.soon(() => this.#unlessCrashed(task))
  }

  publish(): void {}

  startWorker(): WorkerThread | undefined {
    return undefined
  }

  #unlessCrashed(task: () => void): void {
    if (!this.crashed) task()
  }
}

/** What was called, and what fails. */
class CallLog {
  readonly lines: string[] = []
  readonly countsReads: boolean
  faultAt: FaultPredicate | undefined
  stopAt: number
  count = 0
  crashed = false
  readonly #directory: string | undefined

  constructor(options: FaultEnvironmentOptions) {
    this.#directory = options.directory
    this.countsReads = options.countReads ?? false
    this.faultAt = options.faultAt
    this.stopAt = options.stopAt ?? Number.POSITIVE_INFINITY
  }

  /**
   * A call begins.
   * @param detail what its line says behind the path
   * @throws CrashedError if the world has stopped, or stops here
   * @returns how the call is to fail, if it is
   */
  begin(op: FileOperation, path: string, detail: string = ''): Fault | undefined {
    this.checkAlive()
    if (this.count >= this.stopAt) {
      this.crashed = true
      throw new CrashedError()
    }
    const relative = this.relative(path)
    const index = this.count++
    this.lines.push([op, relative, detail].filter((part) => part !== '').join(' '))
    return this.faultAt?.({ index, op, path: relative })
  }

  /** As begin, for a call that has no effect if it fails. */
  pass(op: FileOperation, path: string, detail: string = ''): void {
    const fault = this.begin(op, path, detail)
    if (fault !== undefined) throw failure(op, path, fault)
  }

  checkAlive(): void {
    if (this.crashed) throw new CrashedError()
  }

  relative(path: string): string {
    const directory = this.#directory
    if (directory === undefined || !path.startsWith(directory)) return path
    const rest = path.slice(directory.length)
    return rest === '' || /[/\\]$/.test(directory) ? rest : /^[/\\]/.test(rest) ? rest.slice(1) : path
  }
}

class FaultFiles implements FileSystem {
  readonly #inner: FileSystem
  readonly #calls: CallLog

  constructor(inner: FileSystem, calls: CallLog) {
    this.#inner = inner
    this.#calls = calls
  }

  join(directory: string, name: string): string {
    return this.#inner.join(directory, name)
  }

  openRandomAccess(path: string): RandomAccessFile {
    this.#calls.pass('open', path)
    return new FaultRandomAccessFile(this.#inner.openRandomAccess(path), this.#calls)
  }

  createWritable(path: string): WritableFile {
    this.#calls.pass('create', path)
    return new FaultWritableFile(this.#inner.createWritable(path), this.#calls)
  }

  list(directory: string): string[] {
    this.#calls.pass('list', directory)
    return this.#inner.list(directory)
  }

  status(path: string): FileStatus | undefined {
    this.#calls.pass('status', path)
    return this.#inner.status(path)
  }

  makeDirectory(path: string): void {
    this.#calls.pass('make-dir', path)
    this.#inner.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#calls.pass('rename', from, this.#calls.relative(to))
    this.#inner.rename(from, to)
  }

  link(from: string, to: string): void {
    this.#calls.pass('link', from, this.#calls.relative(to))
    this.#inner.link(from, to)
  }

  remove(path: string): void {
    this.#calls.pass('remove', path)
    this.#inner.remove(path)
  }

  syncFile(path: string): void {
    this.#calls.pass('sync', path)
    this.#inner.syncFile(path)
  }

  syncDirectory(directory: string): void {
    this.#calls.pass('sync-dir', directory)
    this.#inner.syncDirectory(directory)
  }

  async lock(directory: string, onlyLooks?: boolean): Promise<DirectoryLock> {
    this.#calls.pass('lock', directory)
    return new FaultLock(await this.#inner.lock(directory, onlyLooks), directory, this.#calls)
  }
}

class FaultLock implements DirectoryLock {
  readonly #inner: DirectoryLock
  readonly #directory: string
  readonly #calls: CallLog
  #released = false

  constructor(inner: DirectoryLock, directory: string, calls: CallLog) {
    this.#inner = inner
    this.#directory = directory
    this.#calls = calls
  }

  /** A lock ends also with a process that crashes, and with a call that fails. */
  release(): void {
    if (this.#released) return
    this.#released = true
    try {
      this.#calls.pass('unlock', this.#directory)
    } finally {
      this.#inner.release()
    }
  }

  check(): void {
    this.#inner.check?.()
  }
}

class FaultRandomAccessFile implements RandomAccessFile {
  readonly #inner: RandomAccessFile
  readonly #calls: CallLog
  #open = true

  constructor(inner: RandomAccessFile, calls: CallLog) {
    this.#inner = inner
    this.#calls = calls
  }

  get path(): string {
    return this.#inner.path
  }

  get bytes(): number {
    return this.#inner.bytes
  }

  read(offset: number, into: Bytes, intoOffset: number, length: number): void {
    if (this.#calls.countsReads) this.#calls.pass('read', this.path, `${offset} ${length}`)
    else this.#calls.checkAlive()
    this.#inner.read(offset, into, intoOffset, length)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    closeInner(this.#inner, this.#calls)
  }
}

class FaultWritableFile implements WritableFile {
  readonly #inner: WritableFile
  readonly #calls: CallLog
  #open = true

  constructor(inner: WritableFile, calls: CallLog) {
    this.#inner = inner
    this.#calls = calls
  }

  get path(): string {
    return this.#inner.path
  }

  append(bytes: Bytes, offset: number, length: number): void {
    const fault = this.#calls.begin('append', this.path, String(length))
    if (fault === undefined) {
      this.#inner.append(bytes, offset, length)
      return
    }
    this.#inner.append(bytes, offset, Math.min(length, fault.shortBytes ?? 0))
    throw failure('append', this.path, fault)
  }

  sync(): void {
    this.#beginSync()
    this.#inner.sync()
  }

  async syncLater(): Promise<void> {
    this.#beginSync()
    await this.#inner.syncLater()
    // A dead process hears of nothing.
    this.#calls.checkAlive()
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    closeInner(this.#inner, this.#calls)
  }

  /** One that fails does nothing, and says nothing. */
  reserve(limit: number): void {
    const fault = this.#calls.begin('reserve', this.path, String(limit))
    if (fault === undefined) this.#inner.reserve?.(limit)
  }

  #beginSync(): void {
    const fault = this.#calls.begin('sync', this.path)
    if (fault === undefined) return
    if (this.#inner instanceof MemoryWritableFile) this.#inner.failSync()
    throw failure('sync', this.path, fault)
  }
}

/** A descriptor ends also with a process that crashes, and with a close that fails. */
function closeInner(file: RandomAccessFile | WritableFile, calls: CallLog): void {
  try {
    calls.pass('close', file.path)
  } finally {
    file.close()
  }
}

function failure(op: FileOperation, path: string, fault: Fault): Error {
  return ioError(ACTIONS[op] ?? op, path, systemError(fault.code))
}
