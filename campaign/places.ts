/**
 * Where campaigns keep things. They run compiled, from .build/; what they read and write is in the source tree.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** An absolute path in the repository; without arguments, its root. */
export function repository(...parts: string[]): string {
  return join(ROOT, ...parts)
}

/** Results of runs on this machine; not for git. */
export const RESULTS: string = repository('campaign', 'results')
/** Results that are published, and what RELIABILITY.md is made of where there are no others. */
export const PUBLISHED: string = repository('docs', 'reliability')
/** What was found, one file each. */
export const REGRESSIONS: string = repository('test', 'regressions')
