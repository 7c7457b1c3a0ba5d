/**
 * system-locks: who holds a write lock on a file, by the kernel's own table (/proc/locks). This is how a live LevelDB is
 * seen without native code: it holds an fcntl lock on the whole of its LOCK file. Looking opens nothing of the file's,
 * and so cannot drop a lock either.
 *
 * Format   number: class ADVISORY mode pid major:minor:inode start end
 *          e.g. `1: POSIX  ADVISORY  WRITE 6503 fe:00:2154837 0 EOF`; major and minor in hex; `->` marks a waiter
 *          class POSIX: fcntl, owned by a process. OFDLCK: owned by an open file, pid −1. FLOCK: flock(2), no conflict
 *          with either
 */
import * as fs from 'node:fs'
import { isOutOfDescriptors } from '../base/errors.ts'
import { ioError } from './io-error.ts'

/** Whether this is that kernel. */
export const isLinux: boolean = ['linux', 'android'].includes(process.platform)

/** A file as the kernel's table names it. */
export interface FileIdentity {
  /** `major:minor`, in hex of at least two digits each. */
  readonly device: string
  readonly inode: string
}

export interface SystemLock {
  readonly owner: 'process' | 'open file'
  /** The process that holds the lock; −1 if the table does not say. */
  readonly pid: number
}

/**
 * The lock that excludes writers from a file, or undefined if there is none or the table cannot be read.
 * @throws as readProc
 */
export function findWriteLock(file: FileIdentity): SystemLock | undefined {
  const table = readProc('/proc/locks')
  return table === undefined ? undefined : writeLockIn(table, file)
}

/** The first write lock on `file` in a table of locks. */
export function writeLockIn(table: string, file: FileIdentity): SystemLock | undefined {
  const wanted = `${file.device}:${file.inode}`
  for (const line of table.split('\n')) {
    const [, type, , mode, pid, held] = line.trim().split(/\s+/)
    if (held !== wanted || mode !== 'WRITE') continue
    if (type === 'POSIX') return { owner: 'process', pid: Number(pid) }
    if (type === 'OFDLCK') return { owner: 'open file', pid: Number(pid) }
  }
  return undefined
}

/** What the kernel's table calls a file: `status` is the file's, `directory` where it lies. @throws as readProc */
export function identityOf(status: fs.BigIntStats, directory: string): FileIdentity {
  return { device: mountDevice(directory) ?? deviceName(status.dev), inode: String(status.ino) }
}

/** `major:minor` of a device number as stat gives it. */
export function deviceName(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n)
  return hexPair(major.toString(16), minor.toString(16))
}

/**
 * A file of /proc, or undefined: no Linux, no permission.
 * @throws IOError for want of descriptors, which must not pass for a file that says nothing
 */
export function readProc(file: string): string | undefined {
  return unlessShort(file, () => fs.readFileSync(file, 'utf8'))
}

function unlessShort<T>(file: string, open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (isOutOfDescriptors(error)) throw ioError('open', file, error)
    return undefined
  }
}

/**
 * The device of the mount that a directory lies in. On btrfs and overlayfs it is this, and not stat's, that the table of
 * locks has.
 */
function mountDevice(directory: string): string | undefined {
  const fd = unlessShort(directory, () => fs.openSync(directory, fs.constants.O_RDONLY))
  if (fd === undefined) return undefined
  try {
    const mount = /^mnt_id:\s*(\d+)$/m.exec(readProc(`/proc/self/fdinfo/${fd}`) ?? '')?.[1]
    const line = readProc('/proc/self/mountinfo')?.match(new RegExp(`^${mount} \\d+ (\\d+):(\\d+) `, 'm'))
    return line == null ? undefined : hexPair(Number(line[1]).toString(16), Number(line[2]).toString(16))
  } finally {
    fs.closeSync(fd)
  }
}

function hexPair(major: string, minor: string): string {
  return `${major.padStart(2, '0')}:${minor.padStart(2, '0')}`
}
