/**
 * varve/otel: what an open database does, as OpenTelemetry's metrics and spans. This file is the whole public face of
 * `varve/otel`; it needs the package @opentelemetry/api, an optional peer, and an SDK of the program's choice.
 *
 * Metrics  figures of `db.stats()`, read when a reader collects (stat-metrics.ts); durations and failures, recorded as the
 *          events come (event-metrics.ts). Names begin with `varve.`, units are UCUM's
 * Spans    `varve.flush`, `varve.compaction`, `varve.stall`: roots, since nobody's request does that work
 *          (background-spans.ts). Reads and writes have none: they take microseconds, and a span about as long
 * Both     carry `db.system.name` = 'varve' and `db.namespace` = the directory, as OpenTelemetry's conventions for databases
 *          have it, and what the caller adds
 * The end  the returned function. A database that is closed before it is observed no more, and kept in memory until then
 * @module varve/otel
 */
import { type Attributes, type Meter, metrics, type Tracer, trace } from '@opentelemetry/api'
import { type DB, InvalidArgumentError } from '../public/index.ts'
import { traceBackground } from './background-spans.ts'
import { recordEvents } from './event-metrics.ts'
import { observeStats } from './stat-metrics.ts'

/** Options of `instrument`. */
export interface InstrumentOptions {
  /** Makes the instruments. Default: the global provider's meter `varve`. */
  readonly meter?: Meter | undefined
  /** Makes the spans. Default: the global provider's tracer `varve`. */
  readonly tracer?: Tracer | undefined
  /** Added to every measurement and span; may replace `db.system.name` and `db.namespace`. */
  readonly attributes?: Attributes | undefined
}

/**
 * Report metrics and spans of a database until the returned function is called.
 * @returns a function that ends the reporting; calling it again does nothing
 * @throws ClosedError if the database is closed; InvalidArgumentError of an unknown option
 */
export function instrument(db: DB, options: InstrumentOptions = {}): () => void {
  checkOptions(options)
  const { meter = metrics.getMeter('varve'), tracer = trace.getTracer('varve') } = options
  const attributes: Attributes = {
    'db.system.name': 'varve',
    'db.namespace': db.stats().directory,
    ...options.attributes,
  }
  const ends = [
    observeStats(db, meter, attributes),
    ...recordEvents(db, meter, attributes),
    ...traceBackground(db, tracer, attributes),
  ]
  return () => {
    for (const end of ends.splice(0)) end()
  }
}

const KNOWN: readonly string[] = ['meter', 'tracer', 'attributes'] satisfies (keyof InstrumentOptions)[]

/** As calls of the engine do: a misspelt option would silently not hold. */
function checkOptions(options: InstrumentOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError('options of instrument must be an object')
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`instrument has no option ${unknown}, only ${KNOWN.join(', ')}`)
}
