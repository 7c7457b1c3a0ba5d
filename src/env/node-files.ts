/**
 * NodeFiles: the FileSystem of an operating system, through node:fs.
 *
 * Node reports a full disk as a short write without an error, and an interrupted read as a short read; both are continued
 * here until the system refuses.
 *
 * A file on which a write, or a sync, has failed takes no further write or sync. After a failed fsync the kernel marks the
 * pages clean, so that a second fsync succeeds although the data never reached the disk.
 *
 * Security  what is opened must be a regular file itself: no symbolic link, no directory, no pipe on which an open would
 *           hang. Files and directories are made for their owner alone; nothing that exists is ever re-permissioned.
 * Threads   each thread has its own; handles stay on their thread
 */
import * as fs from 'node:fs'
import * as path from 'node:path'
import { closeQuietly } from '../base/close-all.ts'
import type { DirectoryLock, FileStatus, FileSystem, RandomAccessFile, WritableFile } from '../base/environment.ts'
import { IOError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'
import { hostSleep } from './host-time.ts'
import { attempt, codeOf, ioError, refusal, systemError } from './io-error.ts'
import { isForOthers } from './lock-socket.ts'
import { lockDirectory } from './node-lock.ts'
import { requireSync } from './node-permission.ts'
import { isLinux } from './system-locks.ts'

/** The permissions of what is created. */
export interface FileModes {
  readonly directoryMode: number
  readonly fileMode: number
}

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants
// Windows has none of these flags, and needs none: it has no FIFOs among its files.
const O_DIRECTORY = fs.constants.O_DIRECTORY ?? 0
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0
const O_NONBLOCK = fs.constants.O_NONBLOCK ?? 0
/** What Windows says of a file that somebody has open. */
const HELD_CODES = ['EPERM', 'EACCES', 'EBUSY']
/** The last wait; all of them are twice that. */
const REPLACE_WAIT_MAX_MS = 512
/** Each has a descriptor until its thread's event loop has turned. */
const SYNCS_AHEAD_MAX = 16
const ZEROS = new Uint8Array(32 * 1024)
let syncsAheadRunning = 0

export class NodeFiles implements FileSystem {
  readonly #modes: FileModes

  constructor(modes: FileModes) {
    this.#modes = modes
  }

  join(directory: string, name: string): string {
    return path.join(directory, name)
  }

  absolute(file: string): string {
    // The directory that the process works in may have been removed.
    return attempt('find the place of', file, () => path.resolve(file))
  }

  openRandomAccess(file: string): RandomAccessFile {
    const fd = attempt('open', file, () => fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
    try {
      const status = attempt('open', file, () => fs.fstatSync(fd))
      if (!status.isFile()) throw refusal('open', file, 'it is not a regular file')
      return new NodeRandomAccessFile(file, fd, status.size)
    } catch (error) {
      fs.closeSync(fd)
      throw error
    }
  }

  createWritable(file: string): WritableFile {
    requireSync('create', file)
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    return new NodeWritableFile(
      file,
      attempt('create', file, () => fs.openSync(file, flags, this.#modes.fileMode)),
    )
  }

  list(directory: string): string[] {
    return attempt('list', directory, () => fs.readdirSync(directory).filter(isForOthers)).sort()
  }

  status(file: string): FileStatus | undefined {
    const status = attempt('look at', file, () => fs.lstatSync(file, { throwIfNoEntry: false }))
    if (status === undefined) return undefined
    return { kind: status.isFile() ? 'file' : status.isDirectory() ? 'directory' : 'other', bytes: status.size }
  }

  makeDirectory(directory: string): void {
    requireSync('make directory', directory)
    const last = attempt('make directory', directory, () => path.resolve(directory))
    const first = attempt('make directory', directory, () => makeMissing(last, this.#modes.directoryMode))
    if (first === undefined) {
      this.#syncParentOfExisting(last)
      return
    }
    const top = path.dirname(first)
    for (let made = last; made.length > top.length; made = path.dirname(made)) this.syncDirectory(path.dirname(made))
  }

  rename(from: string, to: string): void {
    requireSync('rename', from)
    attempt('rename', from, () => replace(from, to))
  }

  link(from: string, to: string): void {
    requireSync('link', from)
    attempt('link', from, () => fs.linkSync(from, to))
  }

  remove(file: string): void {
    requireSync('remove', file)
    attempt('remove', file, () => fs.unlinkSync(file))
  }

  syncFile(file: string): void {
    const fd = attempt('open', file, () => fs.openSync(file, O_RDWR | O_NOFOLLOW))
    try {
      attempt('sync', file, () => fs.fdatasyncSync(fd))
    } finally {
      fs.closeSync(fd)
    }
  }

  syncDirectory(directory: string): void {
    // Windows opens no directory; entries there are as durable as the NTFS journal.
    if (process.platform === 'win32') return
    syncDescriptor(
      directory,
      attempt('open', directory, () => fs.openSync(directory, O_RDONLY | O_DIRECTORY)),
    )
  }

  lock(directory: string, onlyLooks = false): Promise<DirectoryLock> {
    return lockDirectory(directory, this.#modes.fileMode, onlyLooks)
  }

  /**
   * An opener that was killed between mkdir and sync leaves a directory that exists and is not durable. Its parent may be
   * one that this process may not read; then someone else made the directory, and saw to it.
   */
  #syncParentOfExisting(directory: string): void {
    if (process.platform === 'win32') return
    const parent = path.dirname(directory)
    let fd: number
    try {
      fd = fs.openSync(parent, O_RDONLY | O_DIRECTORY)
    } catch {
      return
    }
    syncDescriptor(parent, fd)
  }
}

/**
 * Not by mkdir's option `recursive`, which says ENOENT of a disk that is full or read-only, and never ends in /proc (measured: Node 20
 * and 26).
 * @returns the topmost directory that was made, or undefined if all were there
 */
function makeMissing(directory: string, mode: number): string | undefined {
  try {
    fs.mkdirSync(directory, { mode })
    return directory
  } catch (error) {
    if (isDirectory(directory)) return undefined
    const parent = path.dirname(directory)
    if (codeOf(error) !== 'ENOENT' || parent === directory || isDirectory(parent)) throw error
    const first = makeMissing(parent, mode)
    const last = makeMissing(directory, mode)
    return first ?? last
  }
}

/** Windows replaces no file that somebody has open, be it to read CURRENT, or to look for viruses: that is over in a moment. */
function replace(from: string, to: string): void {
  for (let waitMs = 1; ; waitMs *= 2) {
    try {
      fs.renameSync(from, to)
      return
    } catch (error) {
      const isHeld = process.platform === 'win32' && HELD_CODES.includes(codeOf(error) ?? '')
      if (!isHeld || waitMs > REPLACE_WAIT_MAX_MS) throw error
      hostSleep(waitMs)
    }
  }
}

/** Or a symbolic link to one. */
function isDirectory(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false
}

class NodeRandomAccessFile implements RandomAccessFile {
  readonly path: string
  readonly bytes: number
  #fd: number

  constructor(file: string, fd: number, bytes: number) {
    this.path = file
    this.bytes = bytes
    this.#fd = fd
  }

  read(offset: number, into: Bytes, intoOffset: number, length: number): void {
    let done = 0
    while (done < length) {
      const count = this.#readSome(offset + done, into, intoOffset + done, length - done)
      if (count === 0) throw refusal('read', this.path, `it ends before byte ${offset + length}`)
      done += count
    }
  }

  close(): void {
    if (this.#fd < 0) return
    const fd = this.#fd
    this.#fd = -1
    attempt('close', this.path, () => fs.closeSync(fd))
  }

  #readSome(offset: number, into: Bytes, intoOffset: number, length: number): number {
    if (this.#fd < 0) throw refusal('read', this.path, 'the file is closed')
    for (;;) {
      try {
        return fs.readSync(this.#fd, into, intoOffset, length, offset)
      } catch (error) {
        // A signal came first, as may be on network file systems. libuv begins writes and syncs again by itself, and no reads.
        if (codeOf(error) !== 'EINTR') throw ioError('read', this.path, error)
      }
    }
  }
}

class NodeWritableFile implements WritableFile {
  readonly path: string
  #fd: number
  /**
   * For a sync beside a syncLater: of an error of writing back, Linux tells each descriptor once, and that of the syncLater may have been
   * told, which comes back only when the event loop turns. From the first syncLater on; elsewhere, the same one.
   */
  #besideFd: number
  /** Bytes written. To say where costs less than to have the system keep count (measured: docs/performance.md). */
  #end = 0
  /** Why the file takes no more, once a write or a sync has failed. */
  #failure: unknown = undefined
  #syncsRunning = 0
  /** Set when close came while a sync was running: closing would free the descriptor's number under it. */
  #closing = false

  constructor(file: string, fd: number) {
    this.path = file
    this.#fd = fd
    this.#besideFd = fd
  }

  append(bytes: Bytes, offset: number, length: number): void {
    this.#check('write')
    const limit = offset + length
    let at = offset
    try {
      while (at < limit) {
        const count = fs.writeSync(this.#fd, bytes, at, limit - at, this.#end)
        if (count === 0) throw systemError('EIO')
        at += count
        this.#end += count
      }
    } catch (error) {
      throw this.#failed('write', error)
    }
  }

  sync(): void {
    this.#check('sync')
    try {
      fs.fdatasyncSync(this.#fd)
      if (this.#syncsRunning > 0 && this.#besideFd !== this.#fd) fs.fdatasyncSync(this.#besideFd)
    } catch (error) {
      throw this.#failed('sync', error)
    }
  }

  /** Here and now, if there is no other descriptor to be had. */
  syncLater(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#check('sync')
      if (!this.#openBeside()) {
        this.sync()
        resolve()
        return
      }
      this.#syncsRunning++
      fs.fdatasync(this.#fd, (error) => {
        const failure = this.#syncEnded(error)
        if (failure === undefined) resolve()
        else reject(failure)
      })
    })
  }

  /**
   * By a descriptor of its own, since an error of writing back is told once to each descriptor, and `sync` is to hear of it. So
   * it is in Linux; elsewhere nothing is begun.
   */
  syncAhead(): void {
    if (!isLinux || syncsAheadRunning === SYNCS_AHEAD_MAX) return
    let fd: number
    try {
      fd = fs.openSync(this.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    } catch {
      return
    }
    syncsAheadRunning++
    fs.fdatasync(fd, () =>
      fs.close(fd, () => {
        syncsAheadRunning--
      }),
    )
  }

  /** The length first, so that zeros are behind what was appended even if none can be written; writing them takes the blocks for it. */
  reserve(limit: number): void {
    if (this.#fd < 0 || this.#closing || this.#failure !== undefined) return
    try {
      fs.ftruncateSync(this.#fd, Math.max(limit, this.#end))
      for (let at = this.#end; at < limit; at += ZEROS.length) {
        fs.writeSync(this.#fd, ZEROS, 0, Math.min(ZEROS.length, limit - at), at)
      }
    } catch {
      // A limit of the process or the disk; whether what is appended fits, the append says.
    }
  }

  /** While a syncLater runs, the descriptor is closed when that is done, and its promise reports an error of both. */
  close(): void {
    if (this.#fd < 0 || this.#closing) return
    if (this.#syncsRunning > 0) this.#closing = true
    else attempt('close', this.path, () => fs.closeSync(this.#take()))
  }

  /** @returns false if there is none, or what has the file's name is another one by now */
  #openBeside(): boolean {
    if (!isLinux || this.#besideFd !== this.#fd) return true
    let fd = -1
    closeQuietly(() => {
      const { dev, ino } = fs.fstatSync(this.#fd, { bigint: true })
      fd = fs.openSync(this.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      const beside = fs.fstatSync(fd, { bigint: true })
      if (beside.dev === dev && beside.ino === ino) this.#besideFd = fd
    })
    if (fd !== this.#besideFd) closeQuietly(() => fs.closeSync(fd))
    return this.#besideFd !== this.#fd
  }

  #syncEnded(error: unknown): Error | undefined {
    this.#syncsRunning--
    const failure = error === null ? undefined : this.#failed('sync', error)
    if (!this.#closing || this.#syncsRunning > 0) return failure
    try {
      fs.closeSync(this.#take())
      return failure
    } catch (closeError) {
      return failure ?? ioError('close', this.path, closeError)
    }
  }

  #take(): number {
    const fd = this.#fd
    const beside = this.#besideFd
    this.#fd = -1
    this.#besideFd = -1
    // Nothing was written by it.
    if (beside !== fd) closeQuietly(() => fs.closeSync(beside))
    return fd
  }

  #check(action: string): void {
    if (this.#fd < 0 || this.#closing) throw refusal(action, this.path, 'the file is closed')
    if (this.#failure === undefined) return
    const message = `cannot ${action} ${this.path}: an earlier write or sync of it failed`
    throw new IOError(message, { cause: this.#failure, file: this.path })
  }

  #failed(action: string, error: unknown): Error {
    this.#failure = error
    return ioError(action, this.path, error)
  }
}

function syncDescriptor(directory: string, fd: number): void {
  try {
    attempt('sync', directory, () => fs.fsyncSync(fd))
  } finally {
    fs.closeSync(fd)
  }
}
