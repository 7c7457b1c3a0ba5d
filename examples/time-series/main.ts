/**
 * main: a day of five sensors, a sample every ten seconds: written, looked at by the hour, and kept for six hours only.
 *
 *   npm run example:time-series
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DB, open } from '../../src/public/index.ts'
import { type Sample, TimeSeries } from './series.ts'

const SENSORS = ['attic', 'cellar', 'garden', 'kitchen', 'study']
const START_MS = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000
const STEP_MS = 10_000
const KEEP_HOURS = 6

/** A warm afternoon, and every sensor a little different. */
function temperature(sensor: number, timeMs: number): number {
  const hour = (timeMs - START_MS) / HOUR_MS
  return 15 + sensor + 5 * Math.sin(((hour - 9) / 24) * 2 * Math.PI)
}

function timeOfDay(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19)
}

function celsius(value: number): string {
  return `${value.toFixed(1)} °C`
}

function tableBytes(db: DB): number {
  return db.stats().tables.reduce((sum, { bytes }) => sum + bytes, 0)
}

const directory = mkdtempSync(join(tmpdir(), 'varve-time-series-'))
const db = await open(directory)
try {
  const series = new TimeSeries(db)
  for (let hour = 0; hour < 24; hour++) {
    const samples: Sample[] = []
    for (let timeMs = START_MS + hour * HOUR_MS; timeMs < START_MS + (hour + 1) * HOUR_MS; timeMs += STEP_MS) {
      for (const [i, name] of SENSORS.entries()) samples.push({ series: name, timeMs, value: temperature(i, timeMs) })
    }
    await series.append(samples)
  }
  console.log(`series: ${series.names().join(', ')}`)

  const noonMs = START_MS + 12 * HOUR_MS
  for await (const bucket of series.downsample('garden', noonMs, noonMs + 4 * HOUR_MS, HOUR_MS)) {
    const { timeMs, count, min, max, mean } = bucket
    console.log(
      `garden ${timeOfDay(timeMs)}  ${count} samples, ${celsius(min)} to ${celsius(max)}, mean ${celsius(mean)}`,
    )
  }
  const latest = series.latest('attic')
  if (latest !== undefined) console.log(`attic, newest: ${celsius(latest.value)} at ${timeOfDay(latest.timeMs)}`)

  await db.compactRange()
  const bytesBefore = tableBytes(db)
  await series.expire(START_MS + (24 - KEEP_HOURS) * HOUR_MS)
  await db.compactRange()
  let left = 0
  for await (const _ of series.range('kitchen', START_MS, START_MS + 24 * HOUR_MS)) left++
  const isSmaller = tableBytes(db) < bytesBefore / 2
  console.log(`kept for ${KEEP_HOURS} hours: ${left} samples of the kitchen, less than half the bytes: ${isSmaller}`)
} finally {
  await db.close()
  rmSync(directory, { recursive: true, force: true })
}
