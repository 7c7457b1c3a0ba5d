/**
 * node-lock: one opener to a directory at a time, by its file LOCK, without native code. Crash-safe: all that excludes
 * others ends with the thread or the process that holds it. LOCK itself is never removed.
 *
 * Linux, and Android, which is one, in this order
 *  (1) The kernel's table of locks shows a live LevelDB, or a varve that holds (3). Until that is clear, LOCK is not opened:
 *      closing any descriptor of it would silently drop an fcntl lock that a LevelDB in this very process has on it.
 *  (2) An abstract Unix socket named after LOCK's device and inode excludes every other varve of the network namespace,
 *      in this process too (lock-socket.ts); Bun's own openers exclude each other by (2), Bun and all others by (4). A second one, named
 *      after the directory, stays when somebody removes LOCK.
 *      In a container, a third one lies in the directory: for openers that have other networks and process numbers, but the volume.
 *  (3) With the optional package fs-native-extensions, a lock of the open file, which LevelDB's conflicts with. Without it a
 *      LevelDB that comes later is not kept out.
 *  (4) A line in LOCK names the holder, for messages and for openers that (2) does not reach: in another network namespace
 *      (lock-holder.ts), or of Bun and not of Bun. Two of these that open in the same instant are not kept apart. Where the disk is full,
 *      and (2) holds, the line waits for room: nobody could remove what fills the disk otherwise. Who only looks has a line behind it.
 * macOS, the BSDs, Windows: LOCK is opened with the system's own exclusive flag. Exercised under Wine; elsewhere not so far.
 * Others have neither: there nothing is locked, and nothing is opened for writing.
 *
 * Limits  Abstract sockets have no permissions: another user of the machine can occupy the name, and so keep varve out. An opener in a
 *         container sees a holder outside of it through (3) only, and so do two machines, and two mounts of one directory; two that got in
 *         find each other's lines when they next change files (docs/rfcs/0034-containers-that-share-a-volume.md). Under Node's
 *         permission model without /proc and --allow-net, only openers of the same thread are kept out. Deno without --allow-net
 *         is refused.
 */
import * as fs from 'node:fs'
import * as path from 'node:path'
import type { DirectoryLock } from '../base/environment.ts'
import { LockedError, NotSupportedError } from '../base/errors.ts'
import { LOCK } from '../base/filename.ts'
import { attempt, codeOf, ioError, refusal, systemError } from './io-error.ts'
import {
  describeHolder,
  describeProcess,
  formatHolder,
  holdsUnseen,
  isRunning,
  type LockHolder,
  MAX_HOLDER_BYTES,
  mayHoldUnseen,
  namespaceOf,
  parseHolder,
  thisProcess,
} from './lock-holder.ts'
import { type Held, isBun, listenInside, listenPatiently } from './lock-socket.ts'
import { type FileIdentity, findWriteLock, identityOf, isLinux, type SystemLock } from './system-locks.ts'

/** What varve uses of fs-native-extensions. */
interface NativeLocks {
  tryLock(fd: number): boolean
}

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0
const O_NONBLOCK = fs.constants.O_NONBLOCK ?? 0
/** Flags that node:fs does not name, by system: O_EXLOCK, and libuv's for a file that nobody else may open. To others they mean nothing. */
const EXLOCKS: ReadonlyMap<string, number> = new Map([
  ['win32', 0x10000000],
  ...['darwin', 'freebsd', 'netbsd', 'openbsd'].map((system): [string, number] => [system, 0x20]),
])
/** There is no room for LOCK's line. */
const FULL_CODES = ['ENOSPC', 'EDQUOT']
const isDeno = process.versions.deno !== undefined

/**
 * Take the lock of `directory`.
 * @param onlyLooks as in FileSystem
 * @throws LockedError naming the holder; IOError if LOCK cannot be made or is no regular file; NotSupportedError on a system that has
 *   no lock for it
 */
export async function lockDirectory(directory: string, fileMode: number, onlyLooks: boolean): Promise<DirectoryLock> {
  if (isLinux) return lockOnLinux(directory, fileMode, onlyLooks)
  const exclusive = EXLOCKS.get(process.platform)
  if (exclusive === undefined)
    throw new NotSupportedError(`cannot lock ${directory}: ${process.platform} has no lock for it`)
  return lockByOpening(directory, fileMode, exclusive)
}

/** Files that are locked from this thread: all that is left where sockets and /proc are denied. */
const heldHere = new Set<string>()

/** What is to be locked, as it was when the lock was asked for. */
interface Target {
  readonly directory: string
  readonly place: fs.BigIntStats
  /** LOCK's path. */
  readonly file: string
  readonly status: fs.BigIntStats
  readonly identity: FileIdentity
}

async function lockOnLinux(directory: string, fileMode: number, onlyLooks: boolean): Promise<DirectoryLock> {
  const file = path.resolve(directory, LOCK)
  const status = ensureLockFile(file, fileMode)
  const identity = identityOf(status, directory)
  const place = attempt('look at', directory, () => fs.statSync(directory, { bigint: true }))
  const target = { directory, place, file, status, identity }
  const name = `varve-lock-${status.dev}-${status.ino}`
  if (heldHere.has(name)) throw locked(target)
  refuseSystemLock(target)
  const native = await loadNativeLocks()
  const socket = await listenPatiently(file, name, () => namedHolder(target) !== undefined)
  if (socket === 'taken') throw locked(target)
  // Without all permissions there is no /proc in Deno, so that nothing would keep others out.
  if (socket === 'impossible' && isDeno)
    throw new NotSupportedError(`cannot lock ${file}: Deno needs --allow-net for that`)
  // It would have kept out another call that waited meanwhile.
  if (socket === 'impossible' && heldHere.has(name)) throw locked(target)
  const network = socket === 'impossible' ? '' : networkNamespace()
  const sockets = socket === 'impossible' ? [] : await withDirectory(target, fileMode, socket)
  const held = new HeldLock(target, name, sockets, onlyLooks)
  try {
    // A LevelDB may have come while this waited.
    refuseSystemLock(target)
    const named = held.open()
    const before = named.find((holder) => holdsUnseen(holder, network))
    if (before !== undefined) throw locked(target, describeHolder(before))
    const unseen = named.find((holder) => mayHoldUnseen(holder, network))
    held.unseen = unseen && describeHolder(unseen)
    if (native?.tryLock(held.fd) === false) throw locked(target, lockOwner(target))
    held.writeHolder(thisProcess(network), network !== '')
    return held
  } catch (error) {
    held.abandon()
    throw error
  }
}

/** A lock being taken or held: the sockets, and LOCK's descriptor. */
class HeldLock implements DirectoryLock {
  fd = -1
  unseen: string | undefined = undefined
  readonly #target: Target
  readonly #name: string
  readonly #sockets: readonly Held[]
  readonly #onlyLooks: boolean
  /** What LOCK's first line shall be: this holder's, or while it has none, what was there. */
  #first = ''
  /** This holder's, until there was room for it. */
  #pending = ''
  /** Where it begins. */
  #offset = 0
  #released = false

  constructor(target: Target, name: string, sockets: readonly Held[], onlyLooks: boolean) {
    this.#target = target
    this.#name = name
    heldHere.add(name)
    this.#sockets = sockets
    this.#onlyLooks = onlyLooks
  }

  /** @returns the holders that LOCK names */
  open(): LockHolder[] {
    const { file, status } = this.#target
    this.fd = attempt('open', file, () => fs.openSync(file, O_RDWR | O_NOFOLLOW | O_NONBLOCK))
    // The socket is named after that one.
    if (!isSame(fs.fstatSync(this.fd, { bigint: true }), status))
      throw refusal('lock', file, 'it was replaced meanwhile')
    const lines = attempt('read', file, () => readLines(this.fd))
    if (parseHolder(lines[0]) !== undefined) this.#first = lines[0]
    if (this.#onlyLooks) this.#offset = Buffer.byteLength(this.#first)
    return holdersOf(lines)
  }

  /** @param mayWait whether others are kept out without it */
  writeHolder(holder: LockHolder, mayWait: boolean): void {
    this.#pending = formatHolder(holder)
    this.#writeLine(mayWait)
  }

  check(): void {
    const { file, place } = this.#target
    checkPlace(file, place, this.fd)
    if (this.#released) return
    const other = this.#findOther()
    if (other !== undefined) throw refusal('use', path.dirname(file), `${describeHolder(other)} has opened it as well`)
    if (this.#pending !== '') this.#writeLine(true)
  }

  release(): void {
    if (this.#released) return
    try {
      if (readLines(this.fd)[0] === this.#first) fs.ftruncateSync(this.fd, this.#offset && this.#offset + 1)
    } catch {
      // The line is stale from now on, and is taken for it.
    }
    this.abandon()
  }

  /** Whoever was let in where no lock reaches (see above) has written a line of its own, and removes what is not in its MANIFEST. */
  #findOther(): LockHolder | undefined {
    try {
      const [line] = readLines(this.fd)
      // With hard links (`cp -al`), LOCK belongs to several databases: it may be of another one.
      if (line !== this.#first && fs.fstatSync(this.fd).nlink === 1) return parseHolder(line)
    } catch {
      // A LOCK that cannot be read says nothing.
    }
    return undefined
  }

  /** Over what LOCK held: so it needs no room where there was a line before. @throws IOError */
  #writeLine(mayWait: boolean): void {
    const line = this.#pending
    const bytes = Buffer.from(`${this.#onlyLooks ? '\n' : ''}${line}\n`)
    try {
      const count = fs.writeSync(this.fd, bytes, 0, bytes.length, this.#offset)
      if (count < bytes.length) throw systemError('ENOSPC')
      fs.ftruncateSync(this.fd, this.#offset + bytes.length)
      this.#pending = ''
      if (!this.#onlyLooks) this.#first = line
    } catch (error) {
      if (!mayWait || !FULL_CODES.includes(codeOf(error) ?? '')) throw ioError('write', this.#target.file, error)
    }
  }

  /** Give up what was taken so far; LOCK's content stays. */
  abandon(): void {
    if (this.#released) return
    this.#released = true
    try {
      // Were a LevelDB of this process to hold LOCK by now, closing would drop its lock: then the descriptor stays
      // open.
      const { file, identity } = this.#target
      if (this.fd >= 0 && !isLockedHere(identity)) attempt('close', file, () => fs.closeSync(this.fd))
    } finally {
      for (const socket of this.#sockets) socket.close()
      heldHere.delete(this.#name)
    }
  }
}

/**
 * Whoever removes or renames a directory that is open, and makes another in its place, is let in there: its lock is another one.
 * @param place what the directory was
 * @param fd of the LOCK that was in it. As long as that is found there, it is the same directory, whatever its numbers are
 */
function checkPlace(file: string, place: fs.BigIntStats, fd: number): void {
  const directory = path.dirname(file)
  try {
    if (isSame(fs.statSync(directory, { bigint: true, throwIfNoEntry: false }), place)) return
    if (isSame(fs.lstatSync(file, { bigint: true, throwIfNoEntry: false }), fs.fstatSync(fd, { bigint: true }))) return
  } catch {
    // Whether it can be read and written, those who do will tell.
    return
  }
  throw refusal('use', directory, 'it is not the directory that was opened, which has been removed or renamed since')
}

function isSame(found: fs.BigIntStats | undefined, wanted: fs.BigIntStats): boolean {
  return found !== undefined && found.ino === wanted.ino && found.dev === wanted.dev
}

/** Create LOCK if it is missing; never open what exists. */
function ensureLockFile(file: string, fileMode: number): fs.BigIntStats {
  try {
    fs.closeSync(fs.openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, fileMode))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw ioError('create', file, error)
  }
  const status = attempt('look at', file, () => fs.lstatSync(file, { bigint: true }))
  if (!status.isFile()) throw refusal('lock', file, 'it is not a regular file')
  return status
}

function refuseSystemLock(target: Target): void {
  const lock = findWriteLock(target.identity)
  if (lock !== undefined) throw locked(target, lockOwner(target, lock))
}

/** Who holds the lock that the kernel reports. A lock of an open file is varve's own kind, and LOCK's lines name its holder. */
function lockOwner(target: Target, lock: SystemLock | undefined = findWriteLock(target.identity)): string | undefined {
  if (lock === undefined) return 'another process'
  return lock.owner === 'process' ? describeProcess(lock.pid) : namedHolder(target)
}

/** The last holder that a line of LOCK names, if it is safe to look and the line is true. */
function namedHolder({ file, identity }: Target, isTrue = isRunning): string | undefined {
  if (heldByThisProcess(findWriteLock(identity))) return describeProcess(process.pid)
  let fd = -1
  try {
    fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const holder = holdersOf(readLines(fd)).findLast(isTrue)
    return holder && describeHolder(holder)
  } catch {
    return undefined
  } finally {
    if (fd >= 0) fs.closeSync(fd)
  }
}

/** As far as can be told: without a descriptor to look with, giving up the lock comes first. */
function isLockedHere(identity: FileIdentity): boolean {
  try {
    return heldByThisProcess(findWriteLock(identity))
  } catch {
    return false
  }
}

function heldByThisProcess(lock: SystemLock | undefined): boolean {
  return lock !== undefined && lock.owner === 'process' && lock.pid === process.pid
}

/** At least one. */
function readLines(fd: number): string[] {
  const bytes = Buffer.alloc(2 * MAX_HOLDER_BYTES)
  const length = fs.readSync(fd, bytes, 0, bytes.length, 0)
  return bytes.toString('utf8', 0, length).split('\n')
}

function holdersOf(lines: readonly string[]): LockHolder[] {
  return lines.flatMap((line) => parseHolder(line) ?? [])
}

/**
 * The socket named after LOCK, and one named after the directory: whoever removes LOCK under its holder, to be let in, is not. And one in the
 * directory, in a container.
 * @returns in the order in which to close them: who has the one of LOCK finds the others free
 * @throws LockedError, IOError; `socket` is closed then
 */
async function withDirectory(target: Target, fileMode: number, socket: Held): Promise<Held[]> {
  const { directory, place, file } = target
  const sockets = [socket]
  try {
    const other = await listenPatiently(file, `varve-directory-${place.dev}-${place.ino}`, () => false)
    if (other === 'taken') throw locked(target, 'another opener, under whom LOCK was removed')
    if (other !== 'impossible') sockets.unshift(other)
    const inside = await listenInside(directory, fileMode)
    // Its process cannot be looked at, but it has just answered.
    if (inside === 'taken')
      throw locked(
        target,
        namedHolder(target, () => true),
      )
    if (inside !== undefined) sockets.unshift(inside)
    return sockets
  } catch (error) {
    for (const held of sockets) held.close()
    throw error
  }
}

/** Where a socket of this process excludes others. */
function networkNamespace(): string {
  const namespace = namespaceOf('net')
  return isBun && namespace !== '' ? `${namespace} bun` : namespace
}

/** The package, if it is installed, fits this system, and addons are permitted. Its absence is normal. */
async function loadNativeLocks(): Promise<NativeLocks | undefined> {
  // A name that neither the type checker nor a bundler follows.
  const name: string = 'fs-native-extensions'
  try {
    const { default: native } = await import(name)
    return typeof native?.tryLock === 'function' ? native : undefined
  } catch {
    return undefined
  }
}

/** Not on Linux: the open itself excludes others, until the descriptor is closed. */
async function lockByOpening(directory: string, fileMode: number, exclusive: number): Promise<DirectoryLock> {
  const file = path.resolve(directory, LOCK)
  let fd: number
  try {
    fd = fs.openSync(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | exclusive, fileMode)
  } catch (error) {
    if (['EAGAIN', 'EWOULDBLOCK', 'EBUSY'].includes(codeOf(error) ?? '')) throw lockedBy(directory)
    throw ioError('lock', file, error)
  }
  const place = attempt('look at', directory, () => fs.statSync(directory, { bigint: true }))
  return {
    check(): void {
      // Windows moves no directory in which a file is open.
      if (process.platform !== 'win32') checkPlace(file, place, fd)
    },
    release(): void {
      if (fd >= 0) fs.closeSync(fd)
      fd = -1
    },
  }
}

function locked(target: Target, holder = namedHolder(target)): LockedError {
  return lockedBy(target.directory, holder)
}

function lockedBy(directory: string, holder = 'another opener'): LockedError {
  return new LockedError(`${directory} is held by ${holder}`, { file: directory })
}
