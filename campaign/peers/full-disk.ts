/**
 * A disk that is full: each engine writes at `disk` to a file system of a few megabytes until it is refused, then room is made,
 * it goes on, and is opened again. What was acknowledged must be there.
 *
 * The file system is a tmpfs that is mounted for it, which takes root, or a name space of one's own; where neither can be had,
 * the campaign says so and counts nothing.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CampaignContext } from '../campaign.ts'
import type { EngineName } from '../engines/engine.ts'

const CHILD = fileURLToPath(new URL('./disk-child.js', import.meta.url))
const VALUE_BYTES = [4000, 20_000, 1000, 9999]
const TIMEOUT_MS = 120_000

interface DiskReport {
  readonly refused?: string
  readonly before: number
  readonly after: number
  readonly lost: number
  readonly reopened: string
}

/** Each engine in turn, on disks of different sizes. */
export async function fillDisks(
  context: CampaignContext,
  engines: readonly EngineName[],
  rounds: number,
): Promise<void> {
  for (let round = 0; round < rounds && !context.isOver(); round++) {
    for (const engine of engines) {
      // The odd kibibytes put the end of the disk at another place of the log each time.
      const kibibytes = 8192 + 36 * ((context.seed + round) % 20)
      const report = fillDisk(engine, kibibytes, VALUE_BYTES[round % VALUE_BYTES.length])
      if (report === undefined) return context.count('skipped: a small file system cannot be mounted here')
      tell(context, engine, report)
    }
    context.progress(round + 1, rounds)
  }
}

function tell(context: CampaignContext, engine: EngineName, report: DiskReport | string): void {
  context.count(`${engine}: disks filled`)
  if (typeof report === 'string') {
    context.count(`${engine}: process killed`)
    if (engine === 'varve') context.finding('process killed by a full disk', report, undefined)
    return
  }
  context.count(`${engine}: acknowledged before`, report.before)
  context.count(`${engine}: acknowledged after there was room`, report.after)
  context.count(`${engine}: acknowledged and lost`, report.lost)
  if (engine !== 'varve' || (report.lost === 0 && report.refused !== undefined)) return
  context.finding('acknowledged writes are lost after a full disk', JSON.stringify(report), undefined)
}

/** @returns undefined if nothing can be mounted; a text if the process died */
function fillDisk(engine: EngineName, kibibytes: number, valueBytes: number): DiskReport | string | undefined {
  const mount = mkdtempSync(join(tmpdir(), 'varve-disk-'))
  const args = ['-c', SCRIPT, 'sh', mount, String(kibibytes), process.execPath, CHILD, engine, String(valueBytes)]
  // In a mount name space of its own: whatever happens, nothing stays mounted.
  const rootless = process.getuid?.() === 0 ? [] : ['--map-root-user']
  mkdirSync(mount, { recursive: true })
  try {
    const run = spawnSync('unshare', ['--mount', ...rootless, 'sh', ...args], { encoding: 'utf8', timeout: TIMEOUT_MS })
    if (run.error !== undefined || run.stderr.includes('NO MOUNT') || /^unshare:/.test(run.stderr)) return undefined
    const line = run.stdout.trim().split('\n').at(-1) ?? ''
    return line.startsWith('{') ? (JSON.parse(line) as DiskReport) : `${run.signal ?? run.status}: ${run.stderr}`
  } finally {
    rmSync(mount, { recursive: true, force: true })
  }
}

/** More than half of the disk is the ballast: recovery needs as much room as the log takes. */
const SCRIPT = `mount -t tmpfs -o size="$2"k tmpfs "$1" || { echo NO MOUNT >&2; exit 1; }
head -c $(($2 * 600)) /dev/zero > "$1/ballast"
exec "$3" "$4" "$5" "$1/db" "$1/ballast" "$6"`
