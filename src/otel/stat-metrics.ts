/**
 * Stat metrics: the figures of `db.stats()` as observable instruments, one row each. All are observed together, of one state,
 * when a reader collects: between two collections they cost nothing.
 *
 *   counter  grows from the opening of the database on: what was before `instrument` is in it
 *   sum      a size or a number that goes up and down, and makes sense when added up over its attributes
 *   gauge    a ratio, or a yes (1) or no (0)
 */
import type { Attributes, BatchObservableCallback, Meter, MetricOptions, Observable } from '@opentelemetry/api'
import { ClosedError, type DB, type Stats } from '../public/index.ts'

type Observe = (value: number, attributes?: Attributes) => void

interface Row {
  readonly name: string
  readonly kind: 'counter' | 'sum' | 'gauge'
  readonly unit: string
  readonly description: string
  readonly read: (stats: Stats, observe: Observe) => void
}

const SECOND_MS = 1000

function row(
  name: string,
  kind: Row['kind'],
  unit: string,
  description: string,
  read: (stats: Stats, observe: Observe) => void,
): Row {
  return { name, kind, unit, description, read }
}

/** A row of one figure. */
function figure(
  name: string,
  kind: Row['kind'],
  unit: string,
  description: string,
  value: (stats: Stats) => number,
): Row {
  return row(name, kind, unit, description, (stats, observe) => observe(value(stats)))
}

/** A row of one figure for each level. */
function byLevel(
  name: string,
  kind: Row['kind'],
  unit: string,
  description: string,
  value: (level: Stats['levels'][number]) => number,
): Row {
  return row(name, kind, unit, description, ({ levels }, observe) => {
    for (const level of levels) observe(value(level), { 'varve.level': level.level })
  })
}

function byState(observe: Observe, active: number, immutable: number): void {
  observe(active, { 'varve.memtable.state': 'active' })
  observe(immutable, { 'varve.memtable.state': 'immutable' })
}

function total<T>(list: readonly T[], value: (element: T) => number): number {
  return list.reduce((sum, element) => sum + value(element), 0)
}

const ROWS: readonly Row[] = [
  figure('varve.write.entries', 'counter', '{entry}', 'Entries written', ({ writes }) => writes.entries),
  figure(
    'varve.write.groups',
    'counter',
    '{group}',
    'Commit groups: one write to the log each',
    (s) => s.writes.groups,
  ),
  figure('varve.write.io', 'counter', 'By', 'Bytes written by the program, as batches', ({ writes }) => writes.bytes),
  figure('varve.wal.io', 'counter', 'By', 'Bytes written to write-ahead logs', ({ writes }) => writes.logBytes),
  figure('varve.wal.size', 'sum', 'By', 'Bytes of the logs that are needed', (s) => total(s.logs, (log) => log.bytes)),
  row('varve.memtable.size', 'sum', 'By', 'Memory that MemTables use', ({ active, immutables }, observe) =>
    byState(
      observe,
      active.memoryBytes,
      total(immutables, (table) => table.memoryBytes),
    ),
  ),
  row('varve.memtable.entries', 'sum', '{entry}', 'Entries in MemTables', ({ active, immutables }, observe) =>
    byState(
      observe,
      active.entries,
      total(immutables, (table) => table.entries),
    ),
  ),
  row('varve.memtable.count', 'sum', '{memtable}', 'MemTables; immutable ones wait to be flushed', (stats, observe) =>
    byState(observe, 1, stats.immutables.length),
  ),
  byLevel('varve.level.tables', 'sum', '{table}', 'Tables', ({ tables }) => tables),
  byLevel('varve.level.size', 'sum', 'By', 'Bytes of tables', ({ bytes }) => bytes),
  byLevel('varve.level.score', 'gauge', '1', 'How full a level is: from 1 on it is compacted', ({ score }) => score),
  figure('varve.flush.count', 'counter', '{flush}', 'Flushes', ({ flushes }) => flushes),
  figure('varve.flush.io', 'counter', 'By', 'Bytes of tables written by flushes', ({ flushedBytes }) => flushedBytes),
  byLevel('varve.compaction.count', 'counter', '{compaction}', 'Compactions into a level', (l) => l.compactions),
  byLevel('varve.compaction.moves', 'counter', '{table}', 'Tables moved to a level as they are', ({ moves }) => moves),
  row('varve.compaction.io', 'counter', 'By', 'Bytes that compactions into a level read, write', (stats, observe) => {
    for (const { level, bytesRead, bytesWritten } of stats.levels) {
      observe(bytesRead, { 'varve.level': level, 'disk.io.direction': 'read' })
      observe(bytesWritten, { 'varve.level': level, 'disk.io.direction': 'write' })
    }
  }),
  figure(
    'varve.compaction.pending',
    'sum',
    'By',
    'What compactions have left to write',
    (s) => s.pendingCompactionBytes,
  ),
  figure(
    'varve.write.amplification',
    'gauge',
    '1',
    'Bytes written for each byte of batches',
    (s) => s.writeAmplification,
  ),
  figure(
    'varve.space.amplification',
    'gauge',
    '1',
    'Bytes of tables for each that is live',
    (s) => s.spaceAmplification,
  ),
  figure('varve.stall.count', 'counter', '{stall}', 'How often writes had to wait', ({ stalls }) => stalls),
  figure('varve.stall.time', 'counter', 's', 'Time that writes waited', ({ stalledMs }) => stalledMs / SECOND_MS),
  figure('varve.delay.time', 'counter', 's', 'Time that writes were slowed', ({ delayedMs }) => delayedMs / SECOND_MS),
  figure(
    'varve.block_cache.size',
    'sum',
    'By',
    'Blocks of tables kept in memory',
    ({ blockCache }) => blockCache.bytes,
  ),
  row('varve.block_cache.lookups', 'counter', '{lookup}', 'Blocks looked for', ({ blockCache }, observe) => {
    observe(blockCache.hits, { 'varve.cache.result': 'hit' })
    observe(blockCache.misses, { 'varve.cache.result': 'miss' })
  }),
  figure(
    'varve.table_cache.size',
    'sum',
    'By',
    'Indexes and filters of open tables',
    ({ tableCache }) => tableCache.bytes,
  ),
  figure('varve.table_cache.tables', 'sum', '{table}', 'Open tables', ({ tableCache }) => tableCache.open),
  figure('varve.table_cache.misses', 'counter', '{table}', 'Tables opened for reads', (s) => s.tableCache.misses),
  figure('varve.snapshot.open', 'sum', '{snapshot}', 'Open snapshots', ({ openSnapshots }) => openSnapshots),
  figure('varve.scan.open', 'sum', '{scan}', 'Open scans', ({ openScans }) => openScans),
  figure('varve.reader.open', 'sum', '{reader}', 'Threads that read along', ({ readers }) => readers),
  figure('varve.filter.damaged', 'sum', '{table}', 'Tables with a damaged filter', (s) => s.damagedFilters.length),
  figure('varve.poisoned', 'gauge', '1', '1 if a failure has ended writing', (s) =>
    s.poisonedBy === undefined ? 0 : 1,
  ),
]

/** @returns ends the observation */
export function observeStats(db: DB, meter: Meter, attributes: Attributes): () => void {
  const observables = new Map(ROWS.map((row) => [row, make(meter, row)]))
  const all = [...observables.values()]
  const observe: BatchObservableCallback = (result) => {
    const stats = statsOf(db)
    if (stats === undefined) return
    for (const [{ read }, observable] of observables) {
      read(stats, (value, more) => result.observe(observable, value, { ...attributes, ...more }))
    }
  }
  meter.addBatchObservableCallback(observe, all)
  return () => meter.removeBatchObservableCallback(observe, all)
}

/** undefined once the database has been closed. */
function statsOf(db: DB): Stats | undefined {
  try {
    return db.stats()
  } catch (error) {
    if (error instanceof ClosedError) return undefined
    throw error
  }
}

function make(meter: Meter, { name, kind, unit, description }: Row): Observable {
  const options: MetricOptions = { unit, description }
  if (kind === 'counter') return meter.createObservableCounter(name, options)
  if (kind === 'sum') return meter.createObservableUpDownCounter(name, options)
  return meter.createObservableGauge(name, options)
}
