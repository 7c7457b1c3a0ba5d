/**
 * main: the benchmark, varve and classic-level side by side. Prints a table and keeps all figures in bench/results/. Status 1
 * if an engine failed or answered wrongly; a goal that was missed is printed as such, and is no failure.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeMachine } from './machine.ts'
import { topFunctions } from './profile.ts'
import { header, markdownTable, plainData, textTable } from './report.ts'
import { type Row, Runner } from './runner.ts'
import { readSettings, type Settings, USAGE } from './settings.ts'
import { callLabel } from './workloads.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const RESULTS = join(ROOT, 'bench', 'results')

async function compare(settings: Settings): Promise<void> {
  const machine = describeMachine(ROOT)
  const runner = new Runner(settings)
  const rows: Row[] = []
  for (const workload of settings.workloads) {
    for (const comparison of workload.comparisons) rows.push(await runner.run(workload, comparison))
  }
  const table = settings.isMarkdown ? markdownTable(rows, settings) : textTable(rows, settings)
  const lines = header(machine, settings)
  console.log([...(settings.isMarkdown ? lines.map((line) => `- ${line}`) : lines), '', table].join('\n'))
  const name = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(plainData(machine, settings, rows), undefined, 2)}\n`)
}

async function profile(settings: Settings): Promise<void> {
  const runner = new Runner(settings)
  for (const workload of settings.workloads) {
    for (const comparison of workload.comparisons) {
      const path = join(RESULTS, `${workload.name}-${comparison.varve}.cpuprofile`)
      const { elapsedMs } = await runner.profile(workload, comparison, path)
      console.log(`\n${workload.name} · ${callLabel(comparison.varve, 'varve')}: ${elapsedMs.toFixed(0)} ms`)
      for (const line of topFunctions(path)) console.log(line)
    }
  }
}

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2))
  if (settings === undefined) {
    console.log(USAGE)
    return
  }
  mkdirSync(RESULTS, { recursive: true })
  await (settings.isProfile ? profile(settings) : compare(settings))
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
