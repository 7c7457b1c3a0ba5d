/**
 * LevelDB in C++ as a program: compiled once, with -O2 -DNDEBUG, from the sources that the npm package classic-level holds, into a
 * folder that git ignores. leveldb-driver.cpp says what it does.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PACKAGES, ROOT } from './places.ts'

const COMPILER = process.env.CXX ?? 'g++'
const DRIVER = join(ROOT, 'bench', 'peers', 'leveldb-driver.cpp')
const PROGRAM = join(PACKAGES, 'leveldb-driver')
const FLAGS = [
  '-std=c++17',
  '-O2',
  '-DNDEBUG',
  '-DOS_LINUX=1',
  '-DLEVELDB_PLATFORM_POSIX=1',
  '-fno-builtin-memcmp',
  '-w',
]
/** Tests and tools among the sources. */
const LEFT_OUT = /_test\.cc$|^(testharness|testutil|db_bench|leveldbutil|dumpfile|histogram|c)\.cc$/

export interface FillFigures {
  readonly fillMs: number
  readonly flushMs: number
  readonly readMs: number
  readonly found: number
}

export class LevelDbProgram {
  /** As the compiler calls itself. */
  readonly compiler: string

  private constructor(compiler: string) {
    this.compiler = compiler
  }

  /** @returns undefined where there is no compiler, or not Linux, whose port the flags choose */
  static build(): LevelDbProgram | undefined {
    const compiler = process.platform === 'linux' ? compilerVersion() : undefined
    if (compiler === undefined) return undefined
    if (!existsSync(PROGRAM) || statSync(PROGRAM).mtimeMs < statSync(DRIVER).mtimeMs) compile()
    return new LevelDbProgram(compiler)
  }

  fill(keyFile: string, directory: string, writeBufferBytes: number, cacheBytes: number): FillFigures {
    return run('fill', keyFile, directory, String(writeBufferBytes), String(cacheBytes)) as FillFigures
  }

  flush(keyFile: string, directory: string, writeBufferBytes: number): number {
    return (run('flush', keyFile, directory, String(writeBufferBytes)) as FillFigures).flushMs
  }

  compact(directory: string): number {
    return (run('compact', directory) as { readonly compactMs: number }).compactMs
  }
}

function run(...args: string[]): unknown {
  return JSON.parse(execFileSync(PROGRAM, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }))
}

function compilerVersion(): string | undefined {
  try {
    return execFileSync(COMPILER, ['--version'], { encoding: 'utf8' }).split('\n')[0]
  } catch {
    return undefined
  }
}

function compile(): void {
  const level = dirname(createRequire(import.meta.url).resolve('classic-level/package.json'))
  const outer = join(level, 'deps', 'leveldb')
  const root = join(outer, readdirSync(outer).find((name) => /^leveldb-[\d.]+$/.test(name)) ?? '')
  const sources = ['db', 'table', 'util', 'port'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.cc') && !LEFT_OUT.test(name))
      .map((name) => join(root, folder, name)),
  )
  mkdirSync(PACKAGES, { recursive: true })
  console.error('compiling LevelDB, once …')
  const includes = [`-I${root}`, `-I${join(root, 'include')}`]
  execFileSync(COMPILER, [...FLAGS, ...includes, DRIVER, ...sources, '-lpthread', '-o', PROGRAM], { stdio: 'inherit' })
}
