/**
 * LockHolder: who holds a database directory, as a line of JSON in its LOCK file (whose content LevelDB ignores). It
 * names the holder in messages. It never grants or refuses by itself, except where no lock reaches: see `holdsUnseen`.
 *
 * Lines    The first is for those who change files; a holder that finds another's there stops. Who only looks leaves it as it is, and
 *          has the second.
 *
 * A killed holder leaves its line behind. A line therefore counts only while that very process runs: same boot, same
 * process number among those that this process sees, same start time.
 *
 * The lines are untrusted input: they are bounded, every field is checked, and what is printed is stripped of control
 * characters.
 */
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename } from 'node:path'
import { readProc } from './system-locks.ts'

export interface LockHolder {
  readonly pid: number
  readonly host: string
  /** Of the running kernel; empty where it is unknown, as in all fields from here to `since`. */
  readonly boot: string
  /** When the process started, in clock ticks since boot. */
  readonly started: string
  /** The namespace of process numbers in which `pid` is one. */
  readonly numbers: string
  /** The network namespace in which the holder's socket excludes others; empty also if it holds none. */
  readonly network: string
  /** ISO 8601. */
  readonly since: string
  /** e.g. `node server.js`. */
  readonly program: string
}

/** Longest line that is written; of two lines, so much is read of each. */
export const MAX_HOLDER_BYTES = 1024
/** Longest name of a host or a program that goes into it. */
const MAX_NAME = 64
/** Of the clock by which /proc tells times; the same on every Linux that Node.js runs on. */
const TICKS_A_SECOND = 100

/**
 * This process, as a holder from now on.
 * @param network as in LockHolder
 */
export function thisProcess(network: string): LockHolder {
  const script = process.argv[1]
  return {
    pid: process.pid,
    host: hostName(),
    boot: bootId(),
    started: startTime(process.pid),
    numbers: namespaceOf('pid'),
    network,
    since: new Date().toISOString(),
    program: script === undefined ? basename(process.execPath) : `${basename(process.execPath)} ${basename(script)}`,
  }
}

/** The line that {@link parseHolder} reads; with its end, it has at most MAX_HOLDER_BYTES bytes. */
export function formatHolder(holder: LockHolder): string {
  const host = holder.host.slice(0, MAX_NAME)
  return JSON.stringify({ ...holder, host, program: holder.program.slice(0, MAX_NAME) })
}

/** The holder that a line of a LOCK file names, or undefined if it names none. */
export function parseHolder(text: string): LockHolder | undefined {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof fields !== 'object' || fields === null) return undefined
  const { pid } = fields
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined
  return {
    pid,
    host: printable(fields.host),
    boot: printable(fields.boot),
    started: printable(fields.started),
    numbers: printable(fields.numbers),
    network: printable(fields.network),
    since: printable(fields.since),
    program: printable(fields.program),
  }
}

/** Whether the very process that wrote the line still runs, as far as this process can see. */
export function isRunning(holder: LockHolder): boolean {
  if (holder.boot === '' || holder.boot !== bootId() || holder.numbers !== namespaceOf('pid')) return false
  return holder.started !== '' && holder.started === startTime(holder.pid)
}

/**
 * Whether the holder runs where this process's socket does not reach: in another network namespace, or without a socket.
 * @param network this process's own, or empty if it has no socket
 */
export function holdsUnseen(holder: LockHolder, network: string): boolean {
  return isBeyond(holder, network) && isRunning(holder)
}

/** Whether the holder may run, or not, where this process can neither see it nor has a socket. @param network as in holdsUnseen */
export function mayHoldUnseen(holder: LockHolder, network: string): boolean {
  return isBeyond(holder, network) && holder.boot === bootId() && holder.numbers !== namespaceOf('pid')
}

function isBeyond(holder: LockHolder, network: string): boolean {
  return network === '' || holder.network !== network
}

/** e.g. `process 1234 (node server.js) since 2026-05-01T10:00:00.000Z`. */
export function describeHolder(holder: LockHolder): string {
  const where = holder.host === hostName().slice(0, MAX_NAME) ? '' : ` on ${holder.host}`
  // In containers, many have the same number, and may have started in the same instant.
  const isHere = holder.numbers === namespaceOf('pid')
  const isThis = isHere && holder.pid === process.pid && holder.started === startTime(process.pid)
  const which = isThis && where === '' ? 'this process, ' : ''
  const program = holder.program === '' ? '' : ` (${holder.program})`
  const since = holder.since === '' ? '' : ` since ${holder.since}`
  return `${which}process ${holder.pid}${program}${where}${since}`
}

/**
 * A process of which only the number is known, e.g. a LevelDB: with its name and its start where /proc has them. When it took
 * the lock, nobody knows; not before it ran.
 */
export function describeProcess(pid: number): string {
  if (pid <= 0) return 'another process'
  const name = printable(commandOf(pid))
  const which = pid === process.pid ? 'this process, ' : ''
  const program = name === '' ? '' : ` (${name})`
  const start = startDate(pid)
  return `${which}process ${pid}${program}${start === '' ? '' : `, which has run since ${start}`}`
}

/** Program and script, e.g. `node server.js`. (The name of its main thread says less, and is not the program's in newer Node.) */
function commandOf(pid: number): string {
  const [program = '', script = ''] = readProc(`/proc/${pid}/cmdline`)?.split('\0') ?? []
  const words = script.startsWith('-') ? [program] : [program, script]
  return words
    .map((word) => basename(word))
    .join(' ')
    .trim()
}

/** Empty if this process may not know it (Deno without --allow-sys). */
function hostName(): string {
  try {
    return hostname()
  } catch {
    return ''
  }
}

/** Of this process, e.g. `pid:[4026531836]`; empty where it is unknown. */
export function namespaceOf(kind: 'net' | 'pid'): string {
  try {
    return readlinkSync(`/proc/self/ns/${kind}`)
  } catch {
    return ''
  }
}

function bootId(): string {
  return readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

/** Field 22 of /proc/PID/stat; the fields are counted from behind the name, which may hold spaces and brackets. */
function startTime(pid: number): string {
  const stat = readProc(`/proc/${pid}/stat`)
  return stat === undefined ? '' : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '')
}

/** ISO 8601; the kernel counts from its boot, and tells when that was to the second. */
function startDate(pid: number): string {
  const bootSeconds = /^btime (\d+)$/m.exec(readProc('/proc/stat') ?? '')?.[1]
  const ticks = startTime(pid)
  if (bootSeconds === undefined || !/^\d{1,15}$/.test(ticks)) return ''
  return new Date((Number(bootSeconds) + Number(ticks) / TICKS_A_SECOND) * 1000).toISOString()
}

function printable(field: unknown): string {
  return typeof field === 'string' ? field.replace(/[^ -~]/g, '?').slice(0, 128) : ''
}
