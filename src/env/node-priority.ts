/**
 * The priority of a thread among those of its process. Linux has such a thing: there, the call that elsewhere sets a process's
 * priority is of the thread that makes it (docs/rfcs/0023).
 *
 * Threads  those that a thread starts later inherit its priority: it lowers its own after libuv's pool is there, which is
 *          the whole process's.
 */
import { randomBytes } from 'node:crypto'
import { getPriority, setPriority } from 'node:os'
import { platform, versions } from 'node:process'

/** Beside a busy thread of the usual priority, it has a quarter of a core. */
const STEPS = 5
const LOWEST = 19

/** Let the other threads of the process go first. Where that cannot be, nothing happens. */
export function lowerPriority(): void {
  // Bun and Deno have pools of their own, whose threads come later.
  if (platform !== 'linux' || versions.bun !== undefined || versions.deno !== undefined) return
  try {
    // The first work for the pool starts its threads.
    randomBytes(1, () => {})
    setPriority(0, Math.min(LOWEST, getPriority(0) + STEPS))
  } catch {}
}
