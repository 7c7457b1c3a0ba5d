/**
 * The time series of the examples: as it prints, and its keys and ranges one by one.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { keyOf, type Sample, TimeSeries, timeOf } from '../../examples/time-series/series.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { open } from '../../src/public/index.ts'
import { printed } from './printed.ts'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

describe('the example of time series', () => {
  it('runs as it says', () => {
    assert.deepEqual(printed('time-series'), [
      'series: attic, cellar, garden, kitchen, study',
      'garden 12:00:00  360 samples, 20.5 °C to 21.3 °C, mean 21.0 °C',
      'garden 13:00:00  360 samples, 21.3 °C to 21.8 °C, mean 21.6 °C',
      'garden 14:00:00  360 samples, 21.8 °C to 22.0 °C, mean 21.9 °C',
      'garden 15:00:00  360 samples, 21.8 °C to 22.0 °C, mean 21.9 °C',
      'attic, newest: 11.5 °C at 23:59:50',
      'kept for 6 hours: 2160 samples of the kitchen, less than half the bytes: true',
    ])
  })

  it('has keys that sort by name, then time, and give the time back', () => {
    const name = fc.string({ maxLength: 4 }).filter((text) => !text.includes('\0'))
    const time = fc.maxSafeInteger()
    fc.assert(
      fc.property(name, time, name, time, (firstName, firstMs, secondName, secondMs) => {
        const order = Buffer.compare(keyOf(firstName, firstMs), keyOf(secondName, secondMs))
        const byName = Buffer.compare(Buffer.from(`${firstName}\0`), Buffer.from(`${secondName}\0`))
        assert.equal(order, byName || Math.sign(firstMs - secondMs))
        assert.equal(timeOf(keyOf(firstName, firstMs)), firstMs)
      }),
    )
    assert.throws(() => keyOf('a\0b', 0), RangeError)
  })

  it('answers as a sorted list would: ranges, newest, names, buckets, retention', async () => {
    const db = await open('/series', { environment: new MemoryEnvironment(), workers: 0 })
    const series = new TimeSeries(db)
    const samples: Sample[] = []
    for (const name of ['a', 'a\x01', 'ab', 'b']) {
      for (let timeMs = -50; timeMs < 50; timeMs += 7) samples.push({ series: name, timeMs, value: timeMs / 2 })
    }
    await series.append(samples)
    const of = (name: string, fromMs: number, toMs: number): Sample[] =>
      samples.filter((s) => s.series === name && s.timeMs >= fromMs && s.timeMs < toMs)
    assert.deepEqual(series.names(), ['a', 'a\x01', 'ab', 'b'])
    for (const name of series.names()) {
      assert.deepEqual(await all(series.range(name, -29, 20)), of(name, -29, 20))
      assert.deepEqual(series.latest(name), of(name, -50, 50).at(-1))
    }
    assert.equal(series.latest('absent'), undefined)
    const buckets = await all(series.downsample('ab', -20, 20, 10))
    assert.deepEqual(
      buckets.map(({ timeMs, count, min, max }) => [timeMs, count, min, max]),
      [-20, -10, 0, 10].map((start) => {
        const values = of('ab', start, start + 10).map(({ value }) => value)
        return [start, values.length, Math.min(...values), Math.max(...values)]
      }),
    )
    for (const { timeMs, count, mean } of buckets) {
      const sum = of('ab', timeMs, timeMs + 10).reduce((total, { value }) => total + value, 0)
      assert.ok(Math.abs(mean - sum / count) < 1e-9)
    }
    await series.expire(6)
    for (const name of series.names()) assert.deepEqual(await all(series.range(name, -99, 99)), of(name, 6, 99))
    await series.expire(99)
    assert.deepEqual(series.names(), [])
    await db.close()
  })
})
