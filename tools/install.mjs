/**
 * install: the packages that a lockfile names, at the place where it lies, without running any install script; nothing if
 * they are there already.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** The packages of a lockfile, or undefined if there is none. */
function packagesOf(path) {
  if (!existsSync(path)) return undefined
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

/**
 * Whether node_modules holds what the lockfile says. npm writes its own account of an installation when it has
 * finished, so that a half-done one has none. Contents are compared, not times: a checkout changes those.
 */
function isInstalled(directory) {
  const wanted = packagesOf(join(directory, 'package-lock.json'))
  const present = packagesOf(join(directory, 'node_modules', '.package-lock.json'))
  if (present === undefined) return false
  return Object.entries(wanted).every(([path, { integrity, optional }]) =>
    path === '' || present[path] === undefined
      ? path === '' || optional === true
      : present[path].integrity === integrity,
  )
}

/** Install what the lockfile of `directory` says; a failure ends this process with npm's status. */
export function install(directory) {
  if (isInstalled(directory)) return
  const lockfile = join(relative(process.cwd(), directory), 'package-lock.json')
  console.error(`installing the development dependencies of ${lockfile} …`)
  const { status, error } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: directory,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    },
  )
  if (error !== undefined) console.error(`npm: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}
