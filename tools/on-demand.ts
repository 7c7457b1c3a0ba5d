/**
 * Packages that are no dependency of this repository: peers to measure against, and what only some machines need. The first use
 * installs one, without running its scripts, to a folder that git ignores.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** The version that figures are given for. */
export const LMDB = 'lmdb@3.5.6'

/** It cannot be had here. */
export class PackageMissingError extends Error {}

/**
 * @param spec name@version
 * @returns the `require` that finds it
 * @throws PackageMissingError
 */
export function installOnDemand(folder: string, spec: string): NodeJS.Require {
  const name = spec.slice(0, spec.lastIndexOf('@'))
  const manifest = join(folder, 'package.json')
  if (!existsSync(join(folder, 'node_modules', name, 'package.json'))) {
    mkdirSync(folder, { recursive: true })
    if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n')
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', spec]
    const { status, stderr } = spawnSync('npm', args, {
      cwd: folder,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    })
    if (status !== 0) throw new PackageMissingError(`${spec} cannot be installed by npm: ${stderr}`)
  }
  return createRequire(manifest)
}
