/**
 * runtimes: what the package promises, on every runtime that it names: Node's lines 20 (or whatever runs this), 22, 24 and the newest;
 * Bun; Deno. On each, the packed package is used in all its ways (tools/runtimes/use.mjs), its command is called, and a portable part
 * of the tests runs; on Node once more under the permission model, with writing in a directory of its own alone. While one of them has
 * a database open, all others are refused.
 *
 * Run it after tools/bootstrap.mjs and tools/build.mjs, as `npm run test:runtimes` does. Arguments choose runtimes by name (`bun`,
 * `node-22`). The runtimes are packages of npm for linux-x64, kept in .runtimes/; elsewhere, only this Node is tried.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  check,
  checkLater,
  expect,
  holding,
  makeUsingProject,
  manifest,
  nodeBinary,
  onDemand,
  root,
  summarize,
} from './package/checks.mjs'

/** What needs no thread, no process and no disk; db is in memory there. */
const PORTABLE = [
  ...[
    'base/coding',
    'base/comparator',
    'base/crc32c',
    'base/filename',
    'base/hash',
    'base/internal-key',
    'base/key-words',
  ],
  ...['batch/write-batch', 'log/log', 'table/block', 'table/bloom-filter', 'table/golden', 'table/snappy'],
  ...[
    'memtable/memtable',
    'memtable/dump',
    'memtable/refusals',
    'version/version-edit',
    'db/transcripts',
    'db/refusals',
  ],
  ...['env/memory-env'],
]
/** And what has the files of a disk, which Node's permission model does not let anybody sync. */
const ON_DISK = ['env/file-system']
const compiled = (names) => names.map((name) => join(root, '.build/test', `${name}.test.js`))

/** Name → [binary, arguments before a program, arguments before test files]. */
function runtimes() {
  const portable = join(root, 'tools/runtimes/portable.mjs')
  const node = (binary) => binary && [binary, [], ['--test-reporter=tap', portable]]
  const [own] = process.versions.node.split('.')
  const found = { [`node-${own}`]: () => node(process.execPath) }
  if (process.platform !== 'linux' || process.arch !== 'x64') return found
  for (const version of ['22', '24', 'latest'])
    if (version !== own) found[`node-${version}`] = () => node(nodeBinary(version))
  found.bun = () => {
    const bun = onDemand('bun', ['@oven/bun-linux-x64'], '@oven/bun-linux-x64/bin/bun')
    return bun && [bun, [], ['test', '--timeout=120000']]
  }
  found.deno = () => {
    const deno = onDemand('deno', ['@deno/linux-x64-glibc'], '@deno/linux-x64-glibc/deno')
    return deno && [deno, ['run', '--allow-all'], ['test', '--allow-all', '--no-check', '--quiet']]
  }
  return found
}

async function tryRuntime(name, [binary, run, test], project, scratch) {
  const version = check(`${name} runs`, binary, ['--version']).split('\n')[0]
  const label = `${name} (${version})`
  const data = join(scratch, name)
  mkdirSync(data)
  await checkLater(`${label}: the package, in all its ways`, binary, [...run, 'use.mjs', data, ...run], {
    cwd: project,
  })
  const command = join(project, 'node_modules/varve', manifest.bin.varve)
  const keys = await checkLater(`${label}: the command`, binary, [...run, command, 'stats', join(data, 'db')], {
    cwd: project,
  })
  expect(keys.includes('level'), `${label}: and what it says`, keys)
  const files = [...compiled(PORTABLE), ...compiled(ON_DISK)]
  const output = await checkLater(`${label}: the portable tests`, binary, [...test, ...files], { cwd: root })
  expectCount(label, output, name === 'deno' ? 480 : 570)
  if (name === 'deno') tryDenoPermissions(binary, project, join(data, 'db'))
  if (!name.startsWith('node-')) return
  const required = ['--input-type=commonjs', '-e', "if (!require('varve').open) throw new Error('there is no open')"]
  check(`${label}: require`, binary, required, { cwd: project })
  await tryPermission(label, binary, test, data)
}

/** A test process that runs nothing ends well, too. Deno counts what is in a suite as steps of one test. */
function expectCount(what, output, fewest) {
  const count = Number(/^# pass (\d+)$|^ (\d+) pass$|\| (\d+) passed\b/m.exec(output)?.slice(1).find(Boolean) ?? 0)
  expect(count >= fewest, `${what}: ${count} of them`, output)
}

function tryDenoPermissions(deno, project, directory) {
  const files = ['--no-prompt', '--allow-read', '--allow-write']
  for (const [flags, answer] of [
    [files, 'NOT_SUPPORTED'],
    [[...files, '--allow-net'], 'opened'],
  ]) {
    const args = ['run', ...flags, 'use.mjs', '--open', directory]
    const output = check(`deno ${flags.join(' ')}`, deno, args, { cwd: project })
    expect(output.trim() === answer, `deno ${flags.join(' ')}: ${answer}`, output)
  }
}

async function tryPermission(label, binary, test, data) {
  const own = join(data, 'own')
  mkdirSync(own)
  const help = check(`${label}: --help`, binary, ['--help'])
  const flag = /^ +(--experimental-permission, )?--permission\b/m.test(help)
    ? '--permission'
    : '--experimental-permission'
  const allow = [join(root, '*'), join(own, '*')].map((path) => `--allow-fs-read=${path}`)
  const args = [flag, ...allow, `--allow-fs-write=${own}/*`, '--no-warnings', ...test, ...compiled(PORTABLE)]
  const env = { ...process.env, TMPDIR: own, NODE_OPTIONS: '' }
  const output = await checkLater(`${label}: the portable tests, ${flag}`, binary, args, { cwd: own, env })
  expectCount(`${label} ${flag}`, output, 495)
}

/** What one runtime has open, no other opens; and once it has closed, each does. */
async function tryLocks(binaries, project, directory) {
  for (const [name, [binary, run]] of binaries) {
    await holding([binary, ...run], project, directory, async () => {
      const answers = await Promise.all(binaries.map((other) => answerOf(other, project, directory)))
      expect(
        answers.every((answer) => answer === 'LOCKED'),
        `while ${name} has a database open, nobody opens it`,
        answers.join(),
      )
    })
    const opened = await answerOf(binaries[0], project, directory)
    expect(opened === 'opened', `once ${name} has closed it, it is opened`, opened)
  }
}

async function answerOf([name, [binary, run]], project, directory) {
  const args = [...run, 'use.mjs', '--open', directory]
  return (await checkLater(`${name} tries to open`, binary, args, { cwd: project })).trim()
}

const scratch = mkdtempSync(join(tmpdir(), 'varve-runtimes-'))
try {
  const project = makeUsingProject(scratch)
  const chosen = process.argv.slice(2)
  const waiting = Object.entries(runtimes()).filter(([name]) => chosen.length === 0 || chosen.includes(name))
  // Two at a time: most of the time goes by in one thread each.
  const binaries = []
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const found = next[1]()
      if (found === undefined) continue
      await tryRuntime(next[0], found, project, scratch)
      binaries.push([next[0], found])
    }
  }
  await Promise.all([lane(), lane()])
  await tryLocks(binaries, project, join(scratch, 'locked'))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
summarize('runtimes')
