/**
 * abstract-level's own test suite passes whole, with the manifest that classic-level declares: nothing is skipped.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { VarveLevel } from '../../src/level/varve-level.ts'
import { repository } from '../support/paths.ts'

/** What a run over classic-level 3.0.0 has, with abstract-level 3.1.1. */
const CLASSIC = { tests: 1509, assertions: 5168 }

/** A file system of the operating system whose disk costs no time, if there is one: 1,500 databases are made, each with its syncs. */
const SHARED_MEMORY = '/dev/shm'
const NEEDED_BYTES = 512 * 1024 * 1024

function makeDirectory(): string {
  return mkdtempSync(join(hasRoom(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), 'varve-level-'))
}

function hasRoom(directory: string): boolean {
  if (!existsSync(directory)) return false
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize >= NEEDED_BYTES
}

interface Outcome {
  readonly status: number | null
  readonly lines: readonly string[]
}

function runSuite(world: string, directory: string): Promise<Outcome> {
  const program = repository('.build', 'test', 'level', 'suite.js')
  const child = spawn(process.execPath, [program, world, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, lines: text.split('\n') })))
}

/** The number in a line of the summary. */
function figure(lines: readonly string[], name: string): number {
  const line = lines.findLast((text) => text.startsWith(`# ${name} `))
  return Number(line?.slice(name.length + 3))
}

describe("abstract-level's test suite", { concurrency: true }, () => {
  for (const world of ['disk', 'memory']) {
    it(`passes whole, on ${world === 'disk' ? 'files of the operating system' : 'the file system in memory'}`, async () => {
      const directory = makeDirectory()
      try {
        const { status, lines } = await runSuite(world, directory)
        const failures = lines.flatMap((line, i) => (line.startsWith('not ok') ? lines.slice(i, i + 8) : []))
        assert.deepEqual(failures, [])
        assert.equal(status, 0)
        assert.equal(figure(lines, 'pass'), figure(lines, 'tests'))
        assert.ok(figure(lines, 'pass') >= CLASSIC.assertions, `${figure(lines, 'pass')} assertions`)
        assert.ok(figure(lines, 'asked for') >= CLASSIC.tests, `${figure(lines, 'asked for')} tests`)
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    })
  }

  it('is given the manifest that classic-level declares', async () => {
    const directory = makeDirectory()
    const classic = new ClassicLevel(join(directory, 'classic'))
    const varve = new VarveLevel('varve', { varve: { environment: new MemoryEnvironment() } })
    assert.deepEqual(varve.supports, classic.supports)
    await Promise.all([classic.close(), varve.close()])
    rmSync(directory, { recursive: true, force: true })
  })
})
