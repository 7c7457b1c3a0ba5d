/**
 * A program: abstract-level's own test suite, whole, over VarveLevel. Prints TAP, and at the end how many tests were asked for.
 *
 * Arguments: `disk` or `memory`, and a directory for the databases. Every test has a database of its own. On the disk, tables
 * are written on the calling thread: starting a worker for each of 1,500 databases would take longer than all the rest.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { EngineOptions } from '../../src/level/level-options.ts'
import { VarveLevel } from '../../src/level/varve-level.ts'

type TestFunction = (...args: unknown[]) => unknown
type Suite = (options: { test: TestFunction; factory: (options?: object) => VarveLevel }) => void

const require = createRequire(import.meta.url)
const tape = require('tape') as TestFunction & { readonly onFinish: (task: () => void) => void }
const suite = require('abstract-level/test') as Suite

const [world, directory] = process.argv.slice(2)
let databases = 0
let tests = 0

function engineOptions(): EngineOptions {
  return world === 'memory' ? { environment: new MemoryEnvironment() } : { workers: 0 }
}

suite({
  test: Object.assign((...args: unknown[]) => {
    tests++
    return tape(...args)
  }, tape),
  factory: (options) => new VarveLevel(join(directory, String(databases++)), { ...options, varve: engineOptions() }),
})
tape.onFinish(() => console.log(`# asked for ${tests}`))
