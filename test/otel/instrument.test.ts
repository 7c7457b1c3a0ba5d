/**
 * varve/otel with OpenTelemetry's own SDK: what its exporters are given.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  type ContextManager,
  context,
  createNoopMeter,
  type Meter,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { type InstrumentOptions, instrument } from '../../src/otel/instrument.ts'
import { type DB, type Options, open } from '../../src/public/index.ts'
import { writeUntilRefused } from '../db/stalled.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { repository } from '../support/paths.ts'

const DIRECTORY = '/db'
const COMMON = { 'db.system.name': 'varve', 'db.namespace': DIRECTORY }
const NEVER_MS = 2 ** 30

interface Sdk {
  readonly metrics: MeterProvider
  readonly traces: BasicTracerProvider
  readonly options: { readonly [K in 'meter' | 'tracer']: NonNullable<InstrumentOptions[K]> }
  /** Collect, and give what there is by name. */
  collect(): Promise<Map<string, MetricData>>
  spans(): readonly ReadableSpan[]
}

function sdk(): Sdk {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: NEVER_MS })
  const meters = new MeterProvider({ readers: [reader] })
  const spans = new InMemorySpanExporter()
  const traces = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  return {
    metrics: meters,
    traces,
    options: { meter: meters.getMeter('varve'), tracer: traces.getTracer('varve') },
    async collect() {
      exporter.reset()
      await reader.forceFlush()
      const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
      return new Map(scopes.flatMap((scope) => scope.metrics).map((metric) => [metric.descriptor.name, metric]))
    },
    spans: () => spans.getFinishedSpans(),
  }
}

/** The values of a metric by its attributes without those that all have. */
function values(metric: MetricData | undefined): Record<string, unknown> {
  assert.ok(metric !== undefined)
  const points = metric.dataPoints.map(({ attributes, value }) => {
    const { 'db.system.name': system, 'db.namespace': directory, ...rest } = attributes
    assert.deepEqual({ system, directory }, { system: 'varve', directory: DIRECTORY })
    return [Object.values(rest).join(' '), value] as const
  })
  return Object.fromEntries(points)
}

function single(metric: MetricData | undefined): unknown {
  return values(metric)['']
}

function openMemory(options: Options = {}): Promise<DB> {
  return open(DIRECTORY, { environment: new MemoryEnvironment(), workers: 0, writeBufferBytes: 16384, ...options })
}

/** Two tables of level 0, merged into one of level 1. */
async function twoFlushesAndACompaction(db: DB): Promise<void> {
  for (let i = 0; i < 2; i++) {
    db.putSync('a', `${i}`)
    await db.flush()
  }
  await db.compactRange()
}

test('metrics are the figures of the database', async () => {
  const { options, collect } = sdk()
  const db = await openMemory()
  db.putSync('before', 'counted as well')
  const stop = instrument(db, options)
  await twoFlushesAndACompaction(db)
  db.putSync('b', '1')
  db.getSync('a')
  assert.equal([...db.scanSync()].length, 3)
  const snapshot = db.snapshot()
  const found = await collect()
  const stats = db.stats()
  const expected: Record<string, unknown> = {
    'varve.write.entries': 4,
    'varve.write.groups': stats.writes.groups,
    'varve.write.io': stats.writes.bytes,
    'varve.wal.io': stats.writes.logBytes,
    'varve.wal.size': stats.logs.reduce((sum, { bytes }) => sum + bytes, 0),
    'varve.flush.count': 2,
    'varve.flush.io': stats.flushedBytes,
    'varve.compaction.pending': stats.pendingCompactionBytes,
    'varve.write.amplification': stats.writeAmplification,
    'varve.space.amplification': stats.spaceAmplification,
    'varve.block_cache.size': stats.blockCache.bytes,
    'varve.table_cache.tables': stats.tableCache.open,
    'varve.table_cache.misses': stats.tableCache.misses,
    'varve.snapshot.open': 1,
    'varve.stall.count': 0,
    'varve.stall.time': 0,
    'varve.delay.time': 0,
    'varve.poisoned': 0,
    'varve.filter.damaged': 0,
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(single(found.get(name)), value, name)
  assert.deepEqual(values(found.get('varve.memtable.entries')), { active: 1, immutable: 0 })
  assert.deepEqual(values(found.get('varve.memtable.size')), { active: stats.active.memoryBytes, immutable: 0 })
  assert.deepEqual(values(found.get('varve.level.tables')), { 0: 0, 1: 1, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0 })
  assert.equal(values(found.get('varve.level.size'))[1], stats.levels[1].bytes)
  assert.equal(values(found.get('varve.compaction.count'))[1], 1)
  assert.equal(values(found.get('varve.compaction.io'))['1 read'], stats.levels[1].bytesRead)
  assert.equal(values(found.get('varve.compaction.io'))['1 write'], stats.levels[1].bytesWritten)
  const { hits, misses } = stats.blockCache
  assert.deepEqual(values(found.get('varve.block_cache.lookups')), { hit: hits, miss: misses })
  assert.ok(hits > 0 && misses > 0)
  snapshot.close()
  stop()
  await db.close()
})

test('durations are histograms in seconds, of what happens from then on', async () => {
  const { options, collect } = sdk()
  const db = await openMemory()
  db.putSync('a', '0')
  await db.flush()
  const stop = instrument(db, options)
  let flushMs = 0
  let compactionMs = 0
  db.on('flush', ({ durationMs }) => {
    flushMs += durationMs
  })
  db.on('compaction', ({ durationMs }) => {
    compactionMs += durationMs
  })
  await twoFlushesAndACompaction(db)
  assert.ok(flushMs > 0 && compactionMs > 0)
  const found = await collect()
  for (const [name, key, count, ms] of [
    ['varve.flush.duration', '', 2, flushMs],
    ['varve.compaction.duration', '1 manual', 1, compactionMs],
  ] as const) {
    const metric = found.get(name)
    assert.equal(metric?.dataPointType, DataPointType.HISTOGRAM)
    assert.equal(metric.descriptor.unit, 's')
    const { count: recorded, sum } = values(metric)[key] as { count: number; sum: number }
    assert.equal(recorded, count)
    assert.ok(Math.abs(sum - ms / 1000) < 1e-9, `${name}: ${sum} s, not ${ms} ms`)
  }
  stop()
  await db.close()
})

/** Whatever runs, runs within this span. */
function within(span: Span): ContextManager {
  const active = trace.setSpan(ROOT_CONTEXT, span)
  const manager: ContextManager = {
    active: () => active,
    with: (_, run, self, ...args) => run.apply(self as ThisParameterType<typeof run>, args),
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  }
  return manager
}

test('flushes and compactions are root spans of their own time', async (t) => {
  const { options, spans } = sdk()
  context.setGlobalContextManager(within(options.tracer.startSpan('request')))
  t.after(() => context.disable())
  const db = await openMemory()
  const stop = instrument(db, { ...options, attributes: { 'service.shard': 7 } })
  await twoFlushesAndACompaction(db)
  assert.deepEqual(
    spans().map(({ name }) => name),
    ['varve.flush', 'varve.flush', 'varve.compaction'],
  )
  for (const { attributes, parentSpanContext, status, startTime, endTime } of spans()) {
    assert.equal(parentSpanContext, undefined)
    assert.equal(status.code, SpanStatusCode.UNSET)
    assert.ok(endTime[0] * 1e9 + endTime[1] >= startTime[0] * 1e9 + startTime[1])
    for (const [name, value] of Object.entries({ ...COMMON, 'service.shard': 7 })) assert.equal(attributes[name], value)
  }
  const [flush, , compaction] = spans().map(({ attributes }) => attributes)
  const { flushedBytes, levels } = db.stats()
  assert.equal(flush['varve.flush.entries'], 1)
  assert.ok(Number(flush['varve.flush.bytes']) < flushedBytes)
  assert.equal(compaction['varve.compaction.reason'], 'manual')
  assert.deepEqual([compaction['varve.compaction.inputs'], compaction['varve.compaction.outputs']], [2, 1])
  assert.equal(compaction['varve.compaction.bytes_written'], levels[1].bytesWritten)
  stop()
  await db.close()
})

test('what fails is counted by kind, and its compaction a span with the error', async () => {
  const { options, collect, spans } = sdk()
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openMemory({ environment, maxImmutableMemTables: 1, stallTimeoutMs: 50 })
  const stop = instrument(db, options)
  for (let i = 0; i < 2; i++) {
    db.putSync('a', `${i}`)
    await db.flush()
  }
  environment.setFaults(({ op, path }) => (op === 'open' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  await assert.rejects(db.compactRange(), { code: 'IO_ERROR' })
  environment.setFaults(({ path }) => (path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  writeUntilRefused(db)
  environment.setFaults(undefined)
  await db.flush()
  db.putSync('b', '2')
  environment.setFaults(({ op, path }) => (op === 'append' && path.endsWith('.log') ? { code: 'EIO' } : undefined))
  assert.throws(() => db.putSync('c', '3'), { code: 'IO_ERROR' })
  const found = await collect()
  const failures = values(found.get('varve.errors'))
  assert.equal(failures['compaction IO_ERROR'], 1)
  assert.ok(Number(failures['flush IO_ERROR']) >= 1)
  assert.equal(failures['write IO_ERROR'], 1)
  assert.equal(single(found.get('varve.poisoned')), 1)
  assert.equal((values(found.get('varve.stall.duration')).memtables as { count: number }).count, 1)
  const failed = spans().find(({ status }) => status.code === SpanStatusCode.ERROR)
  assert.equal(failed?.name, 'varve.compaction')
  assert.equal(failed.attributes['error.type'], 'IO_ERROR')
  assert.match(String(failed.events[0].attributes?.['exception.message']), /EIO/)
  const stall = spans().find(({ name }) => name === 'varve.stall')
  assert.equal(stall?.attributes['varve.stall.reason'], 'memtables')
  stop()
  // What was not yet in a table is in a log that has failed.
  await assert.rejects(db.close(), { code: 'IO_ERROR' })
})

test('the end is the end, and one of two databases does not end the other', async () => {
  const { options, collect, spans } = sdk()
  const first = await openMemory()
  const second = await openMemory()
  const stopFirst = instrument(first, options)
  const stopSecond = instrument(second, { ...options, attributes: { 'db.namespace': 'second' } })
  const observed = async (): Promise<unknown[]> =>
    ((await collect()).get('varve.flush.count')?.dataPoints ?? []).map(({ attributes }) => attributes['db.namespace'])
  assert.deepEqual(await observed(), [DIRECTORY, 'second'])
  // Closed, and not stopped: the other one is observed all the same.
  await first.close()
  assert.deepEqual((await observed()).includes('second'), true)
  stopFirst()
  stopFirst()
  assert.equal((await observed()).includes('second'), true)
  stopSecond()
  const before = spans().length
  second.putSync('a', '1')
  await second.flush()
  assert.equal(spans().length, before)
  await second.close()
  assert.throws(() => instrument(second), { code: 'CLOSED' })
})

test('without a meter and a tracer, those of the global providers are taken; without an SDK nothing happens', async (t) => {
  const db = await openMemory()
  const stop = instrument(db)
  await twoFlushesAndACompaction(db)
  stop()
  const { metrics: meters, traces, collect, spans } = sdk()
  metrics.setGlobalMeterProvider(meters)
  trace.setGlobalTracerProvider(traces)
  t.after(() => {
    metrics.disable()
    trace.disable()
  })
  const stopAgain = instrument(db)
  db.putSync('b', '1')
  await db.flush()
  assert.equal(single((await collect()).get('varve.flush.count')), 3)
  assert.deepEqual(
    spans().map(({ name }) => name),
    ['varve.flush'],
  )
  stopAgain()
  await db.close()
})

test('options that instrument does not know are refused, and nothing is observed then', async () => {
  const db = await openMemory()
  const meter = new Proxy(createNoopMeter(), { get: () => assert.fail('an instrument is made') })
  for (const options of [{ meter, metre: 1 }, 'none', null]) {
    const message = options === null || options === 'none' ? /must be an object/ : /has no option metre, only meter,/
    assert.throws(() => instrument(db, options as InstrumentOptions), { code: 'INVALID_ARGUMENT', message })
  }
  await db.close()
})

test('the guide lists every metric, and none that there is not', async () => {
  const names = new Set<string>()
  const meter = new Proxy(createNoopMeter(), {
    get(target, key: keyof Meter) {
      const member = target[key] as (...args: unknown[]) => unknown
      return (...args: unknown[]) => {
        if (key.startsWith('create')) names.add(String(args[0]))
        return member.apply(target, args)
      }
    },
  })
  const db = await openMemory()
  instrument(db, { meter })()
  await db.close()
  const guide = readFileSync(repository('docs', 'guides', 'observability.md'), 'utf8')
  // The first cell of each row of the table of metrics.
  const rows = guide.split('\n').filter((line) => line.startsWith('| `varve.'))
  const listed = rows.flatMap((line) => Array.from(line.split('|')[1].matchAll(/`([^`]+)`/g), ([, name]) => name))
  assert.deepEqual(listed.sort(), [...names].sort())
})
