/**
 * Machine: what the figures were measured on and with, for the report. Figures without it mean nothing.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, statfsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly system: string
  /** Of the data directories: on tmpfs a sync costs nothing. */
  readonly fileSystem: string
  readonly loadAverage: number
  readonly node: string
  readonly varve: string
  readonly commit: string
  readonly classicLevel: string
}

const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x01021994, 'tmpfs'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
  [0x1a, 'apfs'],
])

/** @param root of the repository */
export function describeMachine(root: string): Machine {
  const processors = cpus()
  const { type: fileSystem } = statfsSync(tmpdir())
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    fileSystem: FILE_SYSTEMS.get(fileSystem) ?? `0x${fileSystem.toString(16)}`,
    loadAverage: loadavg()[0],
    node: process.version,
    varve: versionIn(`${root}/package.json`),
    commit: commitOf(root),
    classicLevel: versionIn(createRequire(import.meta.url).resolve('classic-level/package.json')),
  }
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

function commitOf(root: string): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim()
    const isModified = git('status', '--porcelain', '--', 'src') !== ''
    return git('rev-parse', '--short', 'HEAD') + (isModified ? ', modified' : '')
  } catch {
    return 'unknown'
  }
}
