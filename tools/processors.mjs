/**
 * processors: what the package promises, on other processors than this one: Node's builds for Linux on them, under qemu's emulation of one
 * process. The packed package is used in all its ways (tools/runtimes/use.mjs); it writes the same files there as here, byte for byte, and
 * each side reads what the other wrote; what one has open, the other does not open; and tests run of all that works on words of memory,
 * calls the system, or is computed by WebAssembly.
 *
 *   processors NAME [PART…]     NAME is one of those below; PARTs are parts of paths of tests, to run these and nothing else
 *
 * Run it after tools/bootstrap.mjs and tools/build.mjs, as `npm run test:arm64` does. It needs qemu and the processor's C and C++
 * libraries (Debian: `qemu-user`, and for arm64 `libc6-arm64-cross`, `libstdc++6-arm64-cross`, `libatomic1-arm64-cross`); Node comes from
 * npm into .runtimes/.
 *
 * What it cannot show: qemu takes the order in which this machine's stores become visible, which on x64 is stricter than arm64's.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  check,
  checkLater,
  expect,
  expectStats,
  expectTests,
  holding,
  makeUsingProject,
  manifest,
  onDemand,
  root,
  summarize,
} from './package/checks.mjs'

/**
 * By npm's names: qemu's program, where the processor's libraries are, and versions of Node, of which the first one runs the tests. For
 * the last two, npm has no Node that varve is made for, and the command does not start there.
 */
const PROCESSORS = {
  arm64: {
    emulator: 'qemu-aarch64',
    libraries: '/usr/aarch64-linux-gnu',
    versions: ['26.10.0', '20'],
    hasCommand: true,
  },
  armv7l: { emulator: 'qemu-arm', libraries: '/usr/arm-linux-gnueabihf', versions: ['20'] },
  s390x: { emulator: 'qemu-s390x', libraries: '/usr/s390x-linux-gnu', versions: ['20'] },
}

const TESTS = [
  ...['base/crc32c', 'base/key-words', 'env/file-system', 'env/node-files', 'env/node-priority', 'env/system-locks'],
  ...['memtable/dump', 'memtable/threads', 'memtable/word-copier', 'table/golden', 'worker/worker-executor'],
]

/**
 * A program that runs Node there. Node takes the binary for its own path, which this system does not execute: it is told of the program.
 * @returns its path, or undefined if Node cannot be installed
 */
function makeNode(name, version) {
  const { emulator, libraries } = PROCESSORS[name]
  const tool = `node-${name}-${version}`
  // npm installs what is for another processor only if it is forced to.
  const binary = onDemand(tool, ['--force', `node-linux-${name}@${version}`], `node-linux-${name}/bin/node`)
  if (binary === undefined) return undefined
  const program = join(scratch, `${tool}/node`)
  const preload = join(scratch, `${tool}/exec-path.cjs`)
  mkdirSync(join(scratch, tool))
  writeFileSync(preload, `process.execPath = ${JSON.stringify(program)}\n`)
  writeFileSync(program, `#!/bin/sh\nexec ${emulator} -L ${libraries} '${binary}' --require '${preload}' "$@"\n`)
  chmodSync(program, 0o755)
  return program
}

async function checkPackage(node, label, project, data, hasCommand) {
  mkdirSync(data)
  await checkLater(`${label}: the package, in all its ways`, node, ['use.mjs', data], { cwd: project })
  if (!hasCommand) return
  const command = join(project, 'node_modules/varve', manifest.bin.varve)
  const stats = await checkLater(`${label}: the command`, node, [command, 'stats', join(data, 'db')], { cwd: project })
  expectStats(stats, label)
}

/** Each writes, and each reads what the other wrote. */
async function checkFiles(node, label, project, data) {
  const run = (binary, what, directory) =>
    checkLater(
      `${binary === node ? label : 'here'}: ${what} ${directory}`,
      binary,
      ['same-files.mjs', what, join(data, directory)],
      {
        cwd: project,
      },
    )
  const here = await run(process.execPath, 'write', 'here')
  const there = await run(node, 'write', 'there')
  expect(here === there && here.length > 0, `${label}: what it writes is the same, byte for byte`, `${here}\n${there}`)
  const own = await run(process.execPath, 'read', 'there')
  const others = await run(node, 'read', 'here')
  expect(own === others && own.length > 0, `${label}: each reads what the other wrote`, `${own}\n${others}`)
}

/** What one of them has open, the other does not open; and once it has closed, it does. */
async function checkLock(holder, opening, what, project, directory) {
  const answer = () => check(`${what}: an opening`, opening, ['use.mjs', '--open', directory], { cwd: project }).trim()
  await holding([holder], project, directory, () => {
    const refused = answer()
    expect(refused === 'LOCKED', `${what}: it is refused while another has the database open`, refused)
  })
  const opened = answer()
  expect(opened === 'opened', `${what}: it is opened once that has closed it`, opened)
}

async function checkTests(node, parts) {
  const args = ['tools/test.mjs', ...parts.map((part) => `test/${part}`)]
  const env = { ...process.env, VARVE_TEST_CONCURRENCY: '2' }
  expectTests(await checkLater('the tests', node, args, { cwd: root, env }))
}

const [name, ...chosen] = process.argv.slice(2)
const scratch = mkdtempSync(join(tmpdir(), 'varve-processors-'))
try {
  const { emulator, versions, hasCommand = false } = PROCESSORS[name]
  const { status } = spawnSync(emulator, ['--version'], { stdio: 'ignore' })
  expect(status === 0, `${emulator} runs (Debian: qemu-user)`)
  const nodes = status === 0 ? versions.map((version) => makeNode(name, version)).filter(Boolean) : []
  const project = makeUsingProject(scratch)
  copyFileSync(join(root, 'tools/processors/same-files.mjs'), join(project, 'same-files.mjs'))
  for (const node of nodes) {
    const label = check('it runs', node, ['-p', 'process.arch + " " + process.version']).trim()
    if (chosen.length > 0) continue
    const data = join(scratch, label.replace(' ', '-'))
    await checkPackage(node, label, project, data, hasCommand)
    await checkFiles(node, label, project, data)
    await checkLock(process.execPath, node, label, project, join(data, 'locked'))
    await checkLock(node, process.execPath, `beside ${label}`, project, join(data, 'locked'))
  }
  if (nodes.length > 0) await checkTests(nodes[0], chosen.length > 0 ? chosen : TESTS)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
summarize('processors')
