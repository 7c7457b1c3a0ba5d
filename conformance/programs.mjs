/**
 * The four programs: how each is built and tested, and how it is started. What is built goes to .build/conformance/.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const built = join(root, '.build', 'conformance')
const CXX_FLAGS = ['-std=c++17', '-O2', '-Wall', '-Wextra', '-Wpedantic', '-Werror']

/** Name, command line before the arguments, what must be there, and the commands that build and test it, in order. */
export const PROGRAMS = [
  {
    name: 'TypeScript',
    command: [process.execPath, join(root, '.build', 'src', 'cli', 'main.js'), 'memtable'],
    needs: [],
    build: [],
  },
  {
    name: 'Rust',
    command: [join(built, 'rust', 'release', 'memtable')],
    needs: ['cargo'],
    build: [
      ['rust', 'cargo', 'build', '--release', '--offline', '--locked', '--quiet'],
      ['rust', 'cargo', 'test', '--release', '--offline', '--locked', '--quiet'],
    ],
  },
  {
    name: 'Go',
    command: [join(built, 'go-memtable')],
    needs: ['go'],
    build: [
      ['go', 'go', 'build', '-o', join(built, 'go-memtable'), '.'],
      ['go', 'go', 'test', './...'],
    ],
  },
  {
    name: 'C++',
    command: [join(built, 'cpp-memtable')],
    needs: ['g++'],
    build: [
      ['cpp', 'g++', ...CXX_FLAGS, 'main.cpp', 'memtable.cpp', '-o', join(built, 'cpp-memtable')],
      ['cpp', 'g++', ...CXX_FLAGS, 'memtable_test.cpp', 'memtable.cpp', '-o', join(built, 'cpp-memtable-test')],
      ['cpp', join(built, 'cpp-memtable-test')],
    ],
  },
]

/** Build and test all of them, side by side. @throws Error that says what is missing, or what failed */
export async function buildAll() {
  installGo()
  const missing = PROGRAMS.flatMap(({ needs }) => needs).filter((tool) => !isInstalled(tool))
  if (missing.length > 0) throw new Error(`not installed, or not in PATH: ${missing.join(', ')}`)
  mkdirSync(built, { recursive: true })
  await Promise.all(PROGRAMS.map(build))
}

async function build(program) {
  const env = { ...process.env, CARGO_TARGET_DIR: join(built, 'rust'), GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' }
  for (const [directory, ...command] of program.build) {
    const { status, output } = await finish(command, { cwd: join(root, 'conformance', directory), env })
    if (status !== 0) throw new Error(`${program.name}: ${command.join(' ')} ended with ${status}\n${output}`)
  }
}

/** Debian has Go as a package; root may install it. */
function installGo() {
  if (isInstalled('go') || process.getuid?.() !== 0 || !isInstalled('apt-get')) return
  console.log('installing golang-go …')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'golang-go']]) {
    const { status } = spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    if (status !== 0) return
  }
}

function isInstalled(tool) {
  const { error } = spawnSync(tool, [tool === 'go' ? 'version' : '--version'], { stdio: 'ignore' })
  return error === undefined
}

/** Run a program to its end. @returns its exit status, its stdout and its stderr */
export function start(program, args) {
  return finish([...program.command, ...args])
}

/** Run it with files as stdin and stdout. */
export function startOnFiles(program, args, stdin, stdout) {
  return finish([...program.command, ...args], { stdio: [stdin, stdout, 'pipe'] })
}

function finish([command, ...args], options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr']) {
      child[name]?.setEncoding('utf8').on('data', (text) => {
        texts[name] += text
      })
    }
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, ...texts, output: texts.stdout + texts.stderr }))
  })
}
