/**
 * What this process holds: descriptors, handles, memory.
 */
import { readdirSync } from 'node:fs'

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

/** Let callbacks run that are due, and what they start. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 10))
}
