/**
 * Report: rows of figures as text for a terminal, as Markdown, or as plain data. Medians, with the whole spread; the ratio is
 * the median of the ratios of single rounds, classic-level's time over varve's: above 1, varve is faster.
 */
import { KEY_BYTES, VALUE_BYTES } from './dataset.ts'
import type { Machine } from './machine.ts'
import type { Measurement } from './measurement.ts'
import type { Row } from './runner.ts'
import type { Settings } from './settings.ts'
import { ratioOf, type Spread, spreadOf } from './statistics.ts'
import { callLabel } from './workloads.ts'

const MIB = 1024 * 1024

const COLUMNS: readonly string[] = [
  'workload',
  'operations',
  'durability',
  'write buffer',
  'varve',
  'µs/op (min–max)',
  'ops/s',
  'classic-level',
  'µs/op (min–max)',
  'ops/s',
  'ratio (min–max)',
  'goal',
]

/** What stands above the table, a line each. */
export function header(machine: Machine, settings: Settings): string[] {
  const { entries, rounds, seed, writeBufferBytes, cacheBytes } = settings
  const cache = cacheBytes === undefined ? 'own defaults (32 and 8 MiB)' : `${cacheBytes / MIB} MiB both`
  return [
    `varve ${machine.varve} (${machine.commit}) and classic-level ${machine.classicLevel}, Node.js ${machine.node}`,
    `${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB, ${machine.system}, ` +
      `data on ${machine.fileSystem}, load average ${machine.loadAverage.toFixed(2)}`,
    `${KEY_BYTES}-byte keys, ${VALUE_BYTES}-byte incompressible values, ${entries} entries, seed ${seed}, ${rounds} rounds`,
    `Write buffers ${writeBufferBytes / MIB} MiB both; block caches ${cache}; no compression; otherwise defaults`,
    'Durability os is sync: false, disk is sync: true. One process a measurement, warmed up (not for recover), engines alternating',
  ]
}

export function textTable(rows: readonly Row[], settings: Settings): string {
  const lines = [COLUMNS, ...rows.map((row) => cells(row, settings))]
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => line[i].length)))
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function markdownTable(rows: readonly Row[], settings: Settings): string {
  const rule = COLUMNS.map(() => '---')
  return [COLUMNS, rule, ...rows.map((row) => cells(row, settings))].map((line) => `| ${line.join(' | ')} |`).join('\n')
}

/** Everything, for later comparisons. */
export function plainData(machine: Machine, settings: Settings, rows: readonly Row[]): object {
  const { entries, rounds, seed, writeBufferBytes, cacheBytes } = settings
  return {
    machine,
    settings: { entries, rounds, seed, writeBufferBytes, cacheBytes: cacheBytes ?? null },
    rows: rows.map((row) => ({
      workload: row.workload.name,
      durability: durabilityOf(row),
      operations: row.operationCount,
      varve: { call: callLabel(row.comparison.varve, 'varve'), rounds: row.varve },
      classicLevel: { call: callLabel(row.comparison.level, 'classic-level'), rounds: row.level },
      ratio: ratio(row),
      goal: row.comparison.goal ?? null,
    })),
  }
}

function cells(row: Row, settings: Settings): string[] {
  const { workload, comparison, operationCount } = row
  const varve = spreadOf(row.varve.map(microseconds))
  const level = spreadOf(row.level.map(microseconds))
  return [
    workload.name,
    String(operationCount),
    durabilityOf(row),
    `${settings.writeBufferBytes / MIB} MiB`,
    callLabel(comparison.varve, 'varve'),
    showSpread(varve),
    showRate(varve),
    callLabel(comparison.level, 'classic-level'),
    showSpread(level),
    showRate(level),
    showSpread(ratio(row)),
    showGoal(row),
  ]
}

function durabilityOf({ workload }: Row): string {
  return workload.isDurable ? 'disk' : 'os'
}

function microseconds({ elapsedMs, operationCount }: Measurement): number {
  return (elapsedMs * 1000) / operationCount
}

function ratio({ varve, level }: Row): Spread {
  return ratioOf(level.map(microseconds), varve.map(microseconds))
}

function showGoal(row: Row): string {
  const { goal } = row.comparison
  if (goal === undefined) return ''
  const { median, min } = ratio(row)
  if (median < goal) return `≥ ${goal}: missed`
  return min < goal ? `≥ ${goal}: met, not in every round` : `≥ ${goal}: met`
}

function showSpread({ median, min, max }: Spread): string {
  return `${show(median)} (${show(min)}–${show(max)})`
}

function showRate({ median }: Spread): string {
  return Math.round(1e6 / median).toLocaleString('en-US')
}

/** Three significant digits. */
function show(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
