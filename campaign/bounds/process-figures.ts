/**
 * What this process holds: descriptors, handles, memory.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Open descriptors, without the one that looks; undefined where there is no /proc. */
export function descriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return undefined
  }
}

/** Timers, sockets, threads and requests that are not done. */
export function resources(): string {
  return process.getActiveResourcesInfo().sort().join()
}

/** Bytes of physical memory. */
export function residentBytes(): number {
  return process.memoryUsage.rss()
}

/**
 * The most physical memory that this process had at any time, in bytes. Where there is no /proc, `getrusage` tells, which on Linux
 * would count what its parent had when it was started.
 */
export function greatestResidentBytes(): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) as RegExpExecArray
    return Number(kib) * 1024
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}

/** Let callbacks run that are due, and what they start. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 10))
}
