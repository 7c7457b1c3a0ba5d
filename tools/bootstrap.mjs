/**
 * bootstrap: what every command needs before it can run, on a fresh clone with nothing but Node and npm. Installs the
 * development dependencies from the lockfile when they are missing or older than it, without running any install
 * script, and compiles the sources, tests and tools to .build/.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const root = new URL('..', import.meta.url)
const stamp = new URL('node_modules/.varve-lock', root)
const lockfile = readFileSync(new URL('package-lock.json', root), 'utf8')

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status ?? 1)
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lockfile) {
  console.error('installing development dependencies from the lockfile …')
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(stamp, lockfile)
}
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'])
