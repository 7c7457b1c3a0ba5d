/**
 * Samples of many series in one database, in an order that makes every question a range of keys.
 *
 *   key    <name of the series> 0x00 <time, 8 bytes>   the value: a number, 8 bytes
 *
 * The name ends with a zero byte, so that no name is the beginning of another one's keys. The time, in milliseconds since the epoch,
 * is big-endian with its sign bit turned over: then bytes sort as numbers do, those before 1970 as well.
 */
import { type DB, WriteBatch } from '../../src/public/index.ts'

export interface Sample {
  readonly series: string
  readonly timeMs: number
  readonly value: number
}

/** What becomes of the samples of one stretch of time. */
export interface Bucket {
  /** Where it begins. */
  readonly timeMs: number
  readonly count: number
  readonly min: number
  readonly max: number
  readonly mean: number
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const TIME_BYTES = 8
const SIGN = 1n << 63n

export function keyOf(series: string, timeMs: number): Uint8Array {
  const name = encoder.encode(series)
  if (name.includes(0)) throw new RangeError('the name of a series must not contain a zero byte')
  const key = new Uint8Array(name.length + 1 + TIME_BYTES)
  key.set(name)
  new DataView(key.buffer).setBigUint64(name.length + 1, BigInt.asUintN(64, BigInt(timeMs) ^ SIGN))
  return key
}

export function timeOf(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset + key.length - TIME_BYTES)
  return Number(BigInt.asIntN(64, view.getBigUint64(0) ^ SIGN))
}

export class TimeSeries {
  readonly #db: DB

  constructor(db: DB) {
    this.#db = db
  }

  /** Add samples, all or none. A sample of the same series and time is replaced. */
  async append(samples: Iterable<Sample>): Promise<void> {
    const batch = new WriteBatch()
    const value = new DataView(new ArrayBuffer(8))
    for (const sample of samples) {
      value.setFloat64(0, sample.value)
      batch.put(keyOf(sample.series, sample.timeMs), new Uint8Array(value.buffer))
    }
    await this.#db.write(batch)
  }

  /** The samples of [fromMs, toMs), oldest first, as they were when the loop began. */
  async *range(series: string, fromMs: number, toMs: number): AsyncGenerator<Sample> {
    for await (const [key, value] of this.#db.scan({ gte: keyOf(series, fromMs), lt: keyOf(series, toMs) })) {
      yield sampleOf(series, key, value)
    }
  }

  /** The newest sample: the first one of a scan that goes backwards. */
  latest(series: string): Sample | undefined {
    const range = { gte: startOf(series), lt: endOf(series), reverse: true, limit: 1 }
    for (const [key, value] of this.#db.scanSync(range)) return sampleOf(series, key, value)
    return undefined
  }

  /** One bucket for every `bucketMs` that has samples, each yielded once it is complete. */
  async *downsample(series: string, fromMs: number, toMs: number, bucketMs: number): AsyncGenerator<Bucket> {
    let bucket: Bucket | undefined
    for await (const { timeMs, value } of this.range(series, fromMs, toMs)) {
      const start = Math.floor(timeMs / bucketMs) * bucketMs
      if (bucket !== undefined && bucket.timeMs !== start) {
        yield bucket
        bucket = undefined
      }
      const { count, min, max, mean }: Bucket = bucket ?? { timeMs: start, count: 0, min: value, max: value, mean: 0 }
      bucket = {
        timeMs: start,
        count: count + 1,
        min: Math.min(min, value),
        max: Math.max(max, value),
        mean: mean + (value - mean) / (count + 1),
      }
    }
    if (bucket !== undefined) yield bucket
  }

  /** The names of all series, with one seek each, however many samples they have. */
  names(): string[] {
    const names: string[] = []
    const cursor = this.#db.cursor()
    try {
      for (let valid = cursor.next(); valid; valid = cursor.seek(endOf(names.at(-1) as string))) {
        names.push(seriesOf(cursor.key))
      }
    } finally {
      cursor.close()
    }
    return names
  }

  /** Delete all samples before a time: one range for each series, all in one write, whatever it deletes. */
  async expire(beforeMs: number): Promise<void> {
    const batch = new WriteBatch()
    for (const name of this.names()) batch.deleteRange(startOf(name), keyOf(name, beforeMs))
    await this.#db.write(batch)
  }
}

function seriesOf(key: Uint8Array): string {
  return decoder.decode(key.subarray(0, key.length - TIME_BYTES - 1))
}

function sampleOf(series: string, key: Uint8Array, value: Uint8Array): Sample {
  return { series, timeMs: timeOf(key), value: new DataView(value.buffer, value.byteOffset).getFloat64(0) }
}

/** All keys of a series are in [startOf, endOf): its name ends with a zero byte, and no byte lies between 0 and 1. */
function startOf(series: string): string {
  return `${series}\0`
}

function endOf(series: string): string {
  return `${series}\x01`
}
