/**
 * Runner: carries out measurements, each in a process of its own, the engines alternating, and gathers their figures by rows.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Measurement, MeasurementSpec } from './measurement.ts'
import type { Settings } from './settings.ts'
import { type Call, type Comparison, callLabel, type EngineName, type Workload } from './workloads.ts'

/** The figures of one comparison: element i of each list was measured in round i. */
export interface Row {
  readonly workload: Workload
  readonly comparison: Comparison
  readonly operationCount: number
  readonly varve: Measurement[]
  readonly level: Measurement[]
}

const CHILD = fileURLToPath(new URL('child.js', import.meta.url))
/** Log and MemTable bytes of an entry, generously: a crashed database must fit the write buffer. */
const CRASHED_ENTRY_BYTES = 192
const TIMEOUT_MS = 30 * 60 * 1000

export class Runner {
  readonly #settings: Settings
  readonly #directory: string

  /** Data directories lie below a temporary one, which is removed when the process exits. */
  constructor(settings: Settings) {
    this.#settings = settings
    this.#directory = mkdtempSync(join(tmpdir(), 'varve-bench-'))
    process.once('exit', () => rmSync(this.#directory, { recursive: true, force: true }))
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  }

  /** All rounds of a row. @throws Error if an engine failed, or answered wrongly */
  async run(workload: Workload, comparison: Comparison): Promise<Row> {
    const operationCount = this.#operationCount(workload, comparison)
    const row: Row = { workload, comparison, operationCount, varve: [], level: [] }
    for (let round = 0; round < this.#settings.rounds; round++) {
      const measureVarve = async (): Promise<void> => {
        row.varve.push(await this.measure(workload, 'varve', comparison.varve, operationCount))
      }
      const measureLevel = async (): Promise<void> => {
        row.level.push(await this.measure(workload, 'classic-level', comparison.level, operationCount))
      }
      // Whoever comes second may find the machine hotter, or its disk busier.
      for (const measure of round % 2 === 0 ? [measureVarve, measureLevel] : [measureLevel, measureVarve])
        await measure()
    }
    return row
  }

  async profile(workload: Workload, { varve }: Comparison, path: string): Promise<Measurement> {
    return this.measure(workload, 'varve', varve, this.#operationCount(workload, { varve, level: varve }), path)
  }

  /** One measurement, in a child process with a directory of its own. */
  async measure(
    workload: Workload,
    engine: EngineName,
    call: Call,
    operationCount: number,
    profilePath?: string,
  ): Promise<Measurement> {
    const { entries, seed, writeBufferBytes, cacheBytes } = this.#settings
    const keyCount = workload.start === 'filled' ? entries : operationCount
    const directory = mkdtempSync(join(this.#directory, `${workload.name}-`))
    const spec = { engine, workload: workload.name, call, keyCount, operationCount, seed, writeBufferBytes, cacheBytes }
    if (workload.start === 'crashed') await runChild({ ...spec, step: 'crash', directory, profilePath: undefined })
    const output = await runChild({ ...spec, step: 'measure', directory, profilePath })
    rmSync(directory, { recursive: true, force: true })
    const measurement = JSON.parse(output) as Measurement
    progress(workload, engine, call, measurement)
    return measurement
  }

  #operationCount({ kind }: Workload, { operationsMax = Number.POSITIVE_INFINITY }: Comparison): number {
    const { entries, writeBufferBytes } = this.#settings
    if (kind === 'scan') return entries
    if (kind === 'open') return Math.min(entries, Math.floor(writeBufferBytes / CRASHED_ENTRY_BYTES))
    return Math.min(entries, operationsMax)
  }
}

async function runChild(spec: MeasurementSpec): Promise<string> {
  const args = ['--expose-gc', CHILD, JSON.stringify(spec)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS })
  return stdout
}

function progress(
  { name }: Workload,
  engine: EngineName,
  call: Call,
  { elapsedMs, operationCount }: Measurement,
): void {
  const microseconds = ((elapsedMs * 1000) / operationCount).toFixed(3)
  console.error(`${name} · ${engine} · ${callLabel(call, engine)}: ${microseconds} µs/op`)
}
