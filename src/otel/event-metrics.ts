/**
 * Event metrics: what only events tell: how long each flush, compaction and wait took, and what failed.
 */
import type { Attributes, Meter, MetricOptions } from '@opentelemetry/api'
import type { DB } from '../public/index.ts'

const SECOND_MS = 1000
/** From a flush of a few MemTable pages to a compaction that a slow disk makes last minutes. */
const DURATIONS: MetricOptions = {
  unit: 's',
  advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] },
}

/** @returns functions that end the recording */
export function recordEvents(db: DB, meter: Meter, attributes: Attributes): (() => void)[] {
  const flushes = meter.createHistogram('varve.flush.duration', { ...DURATIONS, description: 'Duration of flushes' })
  const compactions = meter.createHistogram('varve.compaction.duration', {
    ...DURATIONS,
    description: 'Duration of compactions into a level',
  })
  const stalls = meter.createHistogram('varve.stall.duration', {
    ...DURATIONS,
    description: 'Duration of waits of writes',
  })
  const failures = meter.createCounter('varve.errors', {
    unit: '{error}',
    description: 'Background work that failed, failures that ended writing, and files that reads found damaged',
  })
  const failed = (work: string, error: Error): void => {
    failures.add(1, { ...attributes, 'varve.work': work, 'error.type': errorType(error) })
  }
  return [
    db.on('flush', ({ durationMs }) => flushes.record(durationMs / SECOND_MS, attributes)),
    db.on('compaction', ({ phase, outputLevel, reason, durationMs }) => {
      if (phase !== 'end') return
      const more = { 'varve.level': outputLevel, 'varve.compaction.reason': reason }
      compactions.record(durationMs / SECOND_MS, { ...attributes, ...more })
    }),
    db.on('stall', ({ phase, reason, durationMs }) => {
      if (phase === 'end') stalls.record(durationMs / SECOND_MS, { ...attributes, 'varve.stall.reason': reason })
    }),
    db.on('background-error', ({ work, error }) => failed(work, error)),
    db.on('error', ({ error }) => failed('write', error)),
    db.on('damage', ({ error }) => failed('read', error)),
  ]
}

/** Of few values, as the conventions want it: the error's code if it has one. */
export function errorType(error: Error): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}
