/**
 * Namespace: runs power-main as the first process of name spaces of its own, of processes and of mounts. Whatever ends this process or
 * that one, the kernel ends all processes in there; then nothing holds their mounts, and with those the loop devices go.
 *
 * The disk's client (mounted-disk.ts) has a name space of mounts for itself: were it the last process in one in which the file system is
 * mounted, the kernel would unmount that while the client exits, and wait for the client's answers for ever. So the client's mount comes
 * to the other name space by a directory that they share.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eachJsonLine } from '../json-lines.ts'
import { FILE_SYSTEMS } from './file-systems.ts'

const PREFIX = 'varve-power-'

/** What the program tells. */
export type PowerTold =
  | { readonly what: string; readonly by: number }
  | { readonly kind: string; readonly details: string }

export interface PowerRun {
  /** The compiled power-main. */
  readonly program: string
  readonly seconds: number
  readonly seed: number
  readonly systems: readonly string[]
  /** Whether what breaks a promise is kept, in a directory for people. */
  readonly isKept: boolean
  isOver(): boolean
  hear(told: PowerTold): void
}

const LOOK_MS = 200
/** The program ends by itself when its time is over; what it does by then takes as long at most. */
const GRACE_MS = 10_000

/** @returns the file systems that can be cut off here, or why none can */
export function availableSystems(): readonly string[] | string {
  if (process.platform !== 'linux') return 'it takes Linux'
  if (process.getuid?.() !== 0) return 'mounting takes root'
  for (const program of ['nbdfuse', 'unshare', 'setpriv', 'losetup']) {
    if (!isThere(program)) return `${program} is not installed`
  }
  const trial = 'test -c /dev/fuse && test -c /dev/loop-control && mount -t tmpfs tmpfs "$0"'
  const { status, stderr } = spawnSync('unshare', [...NAME_SPACES, 'sh', '-c', trial, tmpdir()], { encoding: 'utf8' })
  if (status !== 0) return `neither FUSE nor loop devices, or no mounting: ${stderr.trim()}`
  const known = FILE_SYSTEMS.filter(({ make: [program] }) => isThere(program)).map(({ name }) => name)
  return known.length > 0 ? known : 'no program that makes a file system is installed'
}

/**
 * What others have mounted by loop devices and FUSE is let go of: here it would stay mounted although they unmount it. Not so where Node,
 * the program ($2) or the directory ($3) are: all of a container may be on FUSE.
 */
const SCRIPT = `
awk -v node="$1" -v program="$2" -v directory="$3" '
  function holds(path) { return index(path, $2 == "/" ? "/" : $2 "/") == 1 }
  ($1 ~ "^/dev/loop" || $3 ~ "^fuse") && !holds(node) && !holds(program) && !holds(directory) { print $2 }
' /proc/self/mounts | xargs -r umount -l
mount -t tmpfs -o mode=700 tmpfs "$3" && mkdir "$3/shown" "$3/mounted" &&
mount --bind "$3/shown" "$3/shown" && mount --make-shared "$3/shown" &&
exec "$@"`
const NAME_SPACES = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL']

/** @throws Error if the program fails */
export async function runInNamespace(run: PowerRun): Promise<void> {
  const { program, seconds, seed, systems, isKept, isOver, hear } = run
  clearLeftovers()
  const directory = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
  const args = [process.execPath, program, directory, String(seconds), String(seed), systems.join(','), String(isKept)]
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', ...NAME_SPACES, 'sh', '-c', SCRIPT, 'sh', ...args],
    // Ctrl-C is for the campaign, which ends the rest.
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  )
  const deadline = performance.now() + seconds * 1000
  const isLate = (): boolean => (performance.now() > deadline ? performance.now() > deadline + GRACE_MS : isOver())
  let isEnded = false
  const look = setInterval(() => {
    if (isLate()) isEnded = child.kill('SIGKILL')
  }, LOOK_MS)
  try {
    await new Promise<void>((resolve, reject) => {
      let said = ''
      eachJsonLine(child.stdout, hear)
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4000)
      })
      child.on('error', reject)
      child.on('close', (status, signal) => {
        if (status === 0 || isEnded) resolve()
        else reject(new Error(`the program fails: ${signal ?? status}: ${said}`))
      })
    })
  } finally {
    clearInterval(look)
    rmdirSync(directory)
  }
}

/** Directories of runs that were killed: what was mounted on them has gone with their processes. */
function clearLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) rmdirSync(join(tmpdir(), name))
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0
}
