/**
 * T14, memory bounds: hostile databases (bounds/hostile.ts) are opened and read by a process with a heap of 64 MiB: it ends, with
 * typed errors only, and has not taken more memory than 64 times the bytes that are really there, and a constant.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HOSTILE, writeHostile } from './bounds/hostile.ts'
import type { Campaign, CampaignContext } from './campaign.ts'

const CHILD = fileURLToPath(new URL('./bounds/bound-child.js', import.meta.url))
const TIMEOUT_MS = 120_000
/** Code that is loaded and compiled while opening, MemTables, windows of logs. */
const CONSTANT_BYTES = 128 * 1024 * 1024
const YIELD = 64

export const BOUNDS: Campaign = {
  name: 't14-bounds',
  title: 'how much memory hostile databases take',
  ciSeconds: 15,
  longShare: 0.5,
  sameThings: 'all',
  run,
  replay: async (name) => {
    const problem = tryHostile(name as string).problem
    if (problem !== undefined) throw new Error(problem)
  },
}

async function run(context: CampaignContext): Promise<void> {
  const names = Object.keys(HOSTILE)
  for (const [i, name] of names.entries()) {
    if (context.isOver()) return
    const { problem, bytes } = tryHostile(name)
    context.count('hostile databases')
    context.count('greatest memory, MiB', Math.max(0, Math.ceil(bytes / 2 ** 20) - greatest))
    greatest = Math.max(greatest, Math.ceil(bytes / 2 ** 20))
    if (problem !== undefined) context.finding(`a hostile database: ${name}`, problem, name)
    context.progress(i + 1, names.length)
  }
}

let greatest = 0

function tryHostile(name: string): { problem: string | undefined; bytes: number } {
  const directory = mkdtempSync(join(tmpdir(), 'varve-bounds-'))
  try {
    const real = writeHostile(directory, HOSTILE[name]())
    const args = ['--max-old-space-size=64', CHILD, directory]
    const { stdout, stderr, status, error } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
    })
    if (status !== 0) return { problem: `${error?.message ?? `status ${status}`}: ${stderr.slice(0, 2000)}`, bytes: 0 }
    const { outcome, bytes } = JSON.parse(stdout) as { outcome: string; bytes: number }
    const allowed = CONSTANT_BYTES + YIELD * real
    const problem = bytes > allowed ? `${outcome}, and took ${bytes} bytes, for ${real} on disk` : undefined
    return { problem, bytes }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
