/**
 * child: the process of one measurement of the Level benchmarks. Arguments: engine, name of the benchmark, operations, and
 * `own` or `equal` options. Prints the time of the run in milliseconds; status 1 and a message if anything was wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import { VarveLevel } from '../../src/level/varve-level.ts'
import { BENCHMARKS, type Level, makeData } from './benchmarks.ts'

const MIB = 1024 * 1024
/** Operations before those that count. */
const WARM_UP = 20_000

function make(engine: string, directory: string, isEqual: boolean): Level {
  const options = isEqual ? { writeBufferSize: 64 * MIB, cacheSize: 32 * MIB } : {}
  if (engine === 'varve') return new VarveLevel(directory, options) as Level
  if (engine === 'classic-level') return new ClassicLevel(directory, options) as Level
  return new MemoryLevel({ storeEncoding: 'utf8' }) as Level
}

const [engine, name, count, options] = process.argv.slice(2)
const benchmark = BENCHMARKS.find((candidate) => candidate.name === name)
if (benchmark === undefined) throw new Error(`there is no benchmark ${name}`)
const operations = Number(count)
const directory = mkdtempSync(join(tmpdir(), 'varve-bench-level-'))
try {
  // The compiler of the host has seen the code before the clock starts.
  await measure(join(directory, 'warm-up'), Math.min(operations, WARM_UP))
  console.log(await measure(join(directory, 'data'), operations))
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/** Milliseconds of the run, over a database of its own. */
async function measure(path: string, count: number): Promise<number> {
  const level = make(engine, path, options === 'equal')
  await level.open()
  await benchmark?.prepare(level, count)
  const data = makeData(count)
  const begin = performance.now()
  await benchmark?.run(level, count, data)
  const elapsedMs = performance.now() - begin
  await level.close()
  return elapsedMs
}
