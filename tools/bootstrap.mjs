/**
 * bootstrap: what every command needs before it can run, on a fresh clone with nothing but Node and npm. Installs the
 * development dependencies when they are not those of the lockfile, without running any install script; compiles the
 * sources, tests and tools to .build/; and removes from .build/ what no longer has a source.
 *
 * Ends with status 0 only if everything compiled. `--install` stops before compiling.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install } from './install.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Run a command to its end, its output on stderr; a failure ends this process with the same status. */
function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })
  if (error !== undefined) console.error(`${command}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

/** Remove from .build/ the outputs of sources that were renamed or deleted: a stale test must not run. */
function prune() {
  for (const name of readdirSync(join(root, '.build'), { recursive: true })) {
    const source = /^(.*?)(\.d\.ts|\.js|\.js\.map)$/.exec(name)?.[1]
    if (source !== undefined && !existsSync(join(root, `${source}.ts`))) rmSync(join(root, '.build', name))
  }
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`varve needs Node.js 20.19 or later; this is ${process.version}`)
  process.exit(1)
}
install(root)
if (!process.argv.includes('--install')) {
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'])
  prune()
}
