/**
 * main: the Level benchmarks over VarveLevel, classic-level and memory-level, side by side: one process a measurement, engines
 * alternating, medians of the rounds. memory-level, which keeps no files, is there for orientation, and measured once. Prints a table,
 * as Markdown, and what it was measured on.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine } from '../machine.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { BENCHMARKS, type Benchmark } from './benchmarks.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CHILD = fileURLToPath(new URL('child.js', import.meta.url))
const COMPARED = ['varve', 'classic-level']
const ENGINES = [...COMPARED, 'memory-level']
const USAGE = `npm run bench:level -- [--scale 0.1] [--rounds 3] [--benchmarks put,get] [--equal]

  --scale       part of Level/bench's own numbers of operations; 0.1 by default
  --rounds      measurements of each, of which the median counts; of memory-level there is one
  --benchmarks  names, of ${BENCHMARKS.map(({ name }) => name).join(', ')}
  --equal       write buffers of 64 MiB and caches of 32 MiB for both; else each engine has its own defaults`

function measure(engine: string, benchmark: Benchmark, operations: number, isEqual: boolean): number {
  const args = [CHILD, engine, benchmark.name, String(operations), isEqual ? 'equal' : 'own']
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }))
}

/** Microseconds an operation: of each engine, of each round. */
function compare(benchmark: Benchmark, operations: number, rounds: number, isEqual: boolean): number[][] {
  const times: number[][] = ENGINES.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const count = round === 0 ? ENGINES.length : COMPARED.length
    // Who comes first changes from round to round.
    for (let i = 0; i < count; i++) {
      const engine = (i + round) % count
      times[engine].push((measure(ENGINES[engine], benchmark, operations, isEqual) * 1000) / operations)
    }
  }
  return times
}

function row(benchmark: Benchmark, operations: number, times: readonly number[][]): string {
  const [varve, classic, memory] = times.map((each) => spreadOf(each).median)
  const ratio = ratioOf(times[1], times[0])
  const figures = [varve, classic, memory].map((micros) => `${micros.toPrecision(3)} µs`)
  const spread = `${ratio.median.toPrecision(3)} (${ratio.min.toPrecision(3)}–${ratio.max.toPrecision(3)})`
  return `| ${[benchmark.name, operations, ...figures, spread].join(' | ')} |`
}

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '0.1' },
    rounds: { type: 'string', default: '3' },
    benchmarks: { type: 'string' },
    equal: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(USAGE)
} else {
  const names = values.benchmarks?.split(',')
  const { varve, commit, classicLevel, node, cpu, cores, system, fileSystem, loadAverage } = describeMachine(ROOT)
  console.log(
    [
      `- varve ${varve} (${commit}), classic-level ${classicLevel}, Node.js ${node}`,
      `- ${cpu}, ${cores} cores, ${system}, data on ${fileSystem}, load average ${loadAverage.toFixed(2)}`,
      `- ${values.equal ? 'write buffers of 64 MiB, caches of 32 MiB both' : "each engine's own defaults"}; ${values.rounds} rounds`,
      '',
      '| benchmark | operations | VarveLevel | classic-level | memory-level | classic-level’s time ÷ VarveLevel’s |',
      '| --- | --- | --- | --- | --- | --- |',
    ].join('\n'),
  )
  for (const benchmark of BENCHMARKS) {
    if (names !== undefined && !names.includes(benchmark.name)) continue
    const operations = Math.round(benchmark.operations * Number(values.scale))
    console.log(row(benchmark, operations, compare(benchmark, operations, Number(values.rounds), values.equal)))
  }
}
