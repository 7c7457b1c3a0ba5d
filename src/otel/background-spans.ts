/**
 * Background spans: flushes, compactions and waits of writes, each as a span of its own trace, made when it is over.
 *
 * A compaction that failed is told of twice: by its phase `failed`, with its duration, and at once after that by
 * `background-error`, with the reason; the span has both. Times are the host's, as those of the program's other spans are.
 */
import { type Attributes, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import { type CompactionDetail, type DB, nodeEnvironment } from '../public/index.ts'
import { errorType } from './event-metrics.ts'

/** @returns functions that end the tracing */
export function traceBackground(db: DB, tracer: Tracer, attributes: Attributes): (() => void)[] {
  const { clock } = nodeEnvironment()
  let failed: CompactionDetail | undefined

  function record(name: string, durationMs: number, more: Attributes, error?: Error): void {
    const endTime = clock.wallMs()
    const span = tracer.startSpan(name, {
      root: true,
      startTime: endTime - durationMs,
      attributes: { ...attributes, ...more },
    })
    if (error !== undefined) {
      span.setAttribute('error.type', errorType(error))
      span.recordException(error, endTime)
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
    }
    span.end(endTime)
  }

  return [
    db.on('flush', ({ table, entries, bytes, durationMs }) => {
      const written: Attributes = table === undefined ? {} : { 'varve.table.number': table }
      record('varve.flush', durationMs, { ...written, 'varve.flush.entries': entries, 'varve.flush.bytes': bytes })
    }),
    db.on('compaction', (detail) => {
      if (detail.phase === 'failed') failed = detail
      else if (detail.phase === 'end') record('varve.compaction', detail.durationMs, compactionAttributes(detail))
    }),
    db.on('background-error', ({ work, error }) => {
      if (work !== 'compaction' || failed === undefined) return
      record('varve.compaction', failed.durationMs, compactionAttributes(failed), error)
      failed = undefined
    }),
    db.on('stall', ({ phase, reason, durationMs }) => {
      if (phase === 'end') record('varve.stall', durationMs, { 'varve.stall.reason': reason })
    }),
  ]
}

function compactionAttributes(detail: CompactionDetail): Attributes {
  const { reason, level, outputLevel, inputs, outputs, bytesRead, bytesWritten } = detail
  return {
    'varve.compaction.reason': reason,
    'varve.compaction.input_level': level,
    'varve.level': outputLevel,
    'varve.compaction.inputs': inputs,
    'varve.compaction.outputs': outputs,
    'varve.compaction.bytes_read': bytesRead,
    'varve.compaction.bytes_written': bytesWritten,
  }
}
