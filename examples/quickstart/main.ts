/**
 * The quickstart: a database that is killed in the middle of an import, opened again, and looked into. Every figure is
 * measured in this run.
 *
 * Ends with status 1 if anything that was acknowledged before the crash is missing or not whole. Leaves the database in a
 * directory of its own under the system's temporary directory, and says where.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { renderExplanation } from '../../src/inspect/explain-view.ts'
import { showBytesCount, showCount, showPlural } from '../../src/inspect/figures.ts'
import { renderLayers } from '../../src/inspect/lsm-view.ts'
import { shorten } from '../../src/inspect/span.ts'
import { type DB, open, type RecoveryInfo, WriteBatch } from '../../src/public/index.ts'
import { type City, jsonOf, keyOf, loadCities } from './cities.ts'
import { writeUntilKilled } from './crash.ts'
import { prove } from './proof.ts'
import { columns, fact, hasColor, heading, ImportProgress, milliseconds, print, style, timed } from './stage.ts'

/** Small, so that flushes happen before your eyes; the default is 64 MiB. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024
const KILL_AT = 0.55
const BATCH_CITIES = 500
const COUNTRY = { code: 'LI', name: 'Liechtenstein' }
const decoder = new TextDecoder()

async function crash(directory: string, cities: readonly City[]): Promise<number> {
  heading(`Importing ${showCount(cities.length)} cities in another process, which will not live to see the end`)
  const progress = new ImportProgress(cities.length, 0)
  const killAt = Math.floor(cities.length * KILL_AT)
  const { acknowledged, pid, signal } = await writeUntilKilled(directory, WRITE_BUFFER_BYTES, killAt, (count) =>
    progress.update(count),
  )
  progress.stop()
  if (signal === null) throw new Error('the writer ended by itself before it could be killed')
  print(`  ${style('red', `✗ ${signal}`)} to process ${pid}, after ${showCount(acknowledged)} acknowledged writes`)
  return acknowledged
}

function showRecovery({ logs, entries, tablesWritten, discarded, durationMs }: RecoveryInfo): void {
  const logBytes = logs.reduce((sum, log) => sum + log.bytes, 0)
  const lostBytes = discarded.reduce((sum, { bytes }) => sum + bytes, 0)
  fact('logs replayed', `${logs.length}, ${showBytesCount(logBytes)}`)
  fact(
    'entries',
    `${showCount(entries)}, now in ${showPlural(tablesWritten, 'new table')}; the others were in tables already`,
  )
  const reasons = [...new Set(discarded.map(({ reason }) => reason))].join(', ')
  fact(
    'discarded',
    lostBytes === 0 ? 'nothing' : `${showPlural(lostBytes, 'byte')} of an unacknowledged write (${reasons})`,
  )
  fact('took', milliseconds(durationMs))
}

/** @returns how many of the cities are in the database, from the first on */
async function checkNothingIsLost(db: DB, cities: readonly City[], acknowledged: number): Promise<number> {
  heading('Is everything there that was acknowledged? Comparing every byte')
  const [proof, ms] = await timed(() => prove(db, cities, acknowledged))
  fact('acknowledged', showCount(acknowledged))
  fact('found whole', `${showCount(proof.acknowledgedWhole)} of them, in ${milliseconds(ms)}`)
  fact('beyond', `${showCount(proof.beyondWhole)} written, but not yet acknowledged when the process died`)
  if (!proof.isGood) {
    throw new Error(
      `${showCount(proof.entries)} entries, which are not the first cities, whole: the database lost or changed data`,
    )
  }
  print(`  ${style('green', '✓ nothing is lost, nothing is torn')}`)
  return proof.entries
}

async function finishImport(db: DB, cities: readonly City[], first: number): Promise<void> {
  heading('Importing the rest')
  const progress = new ImportProgress(cities.length, first)
  const batch = new WriteBatch()
  for (let at = first; at < cities.length; at += BATCH_CITIES) {
    batch.clear()
    for (const city of cities.slice(at, at + BATCH_CITIES)) batch.put(keyOf(city), jsonOf(city))
    await db.write(batch)
    progress.update(Math.min(at + BATCH_CITIES, cities.length))
  }
  progress.stop()
}

async function readCountry(db: DB): Promise<City[]> {
  const range = { prefix: `${COUNTRY.code}/` }
  heading(`The cities of ${COUNTRY.name}: scan of the keys that begin with '${range.prefix}'`)
  const [cities, ms] = await timed(async () => {
    const found: City[] = []
    for await (const value of db.values(range)) found.push(JSON.parse(decoder.decode(value)))
    return found
  })
  const largest = Math.max(...cities.map(({ population }) => population))
  for (const { name, population } of cities) {
    const bar = '▇'.repeat(Math.max(1, Math.round((population / largest) * 24)))
    print(`  ${name.padEnd(16)}${showCount(population).padStart(7)}  ${style('cyan', bar)}`)
  }
  print(style('dim', `  ${cities.length} entries in key order, in ${milliseconds(ms)}`))
  return cities
}

async function readAndDelete(db: DB, city: City): Promise<void> {
  heading('One key: read, delete, read again')
  const key = keyOf(city)
  const [value, readMs] = await timed(() => db.getSync(key))
  fact('get', shorten(`${key} → ${show(value)}`, columns - 16))
  fact('', style('dim', `in ${milliseconds(readMs)}`))
  await db.delete(key)
  const after = await db.get(key)
  fact('delete', key)
  fact('get', `${key} → ${show(after)}`)
  if (value === undefined || after !== undefined) throw new Error(`${key} was not read, or not deleted`)
  print(style('dim', '  where that comes from, by explain():'))
  for (const line of renderExplanation(key, await db.explain(key))) print(`  ${shorten(line, columns - 2)}`)
}

function show(value: Uint8Array | undefined): string {
  return value === undefined ? 'not found' : decoder.decode(value)
}

async function showLayers(db: DB): Promise<void> {
  const options = { width: columns, color: hasColor }
  heading('The layers: newest on top')
  print(renderLayers(db.stats(), options))
  heading('The same after flush(): what was in memory is a table, and its log is gone')
  const [, ms] = await timed(() => db.flush())
  print(renderLayers(db.stats(), options))
  print(style('dim', `  flushed in ${milliseconds(ms)}`))
}

function showNextSteps(directory: string, key: string): void {
  const cli = relative(process.cwd(), fileURLToPath(new URL('../../src/cli/main.js', import.meta.url)))
  heading('Look around yourself')
  print(`  The database stays in ${style('bold', directory)}`)
  for (const [command, rest] of [
    ['stats', ''],
    ['scan', ' --prefix IS/ --keys'],
    ['explain', ` ${key}`],
    ['dump', ' | less'],
  ]) {
    print(`  node ${cli} ${command} ${directory}${rest}`)
  }
}

async function main(): Promise<void> {
  const cities = loadCities()
  const directory = mkdtempSync(join(tmpdir(), 'varve-quickstart-'))
  const acknowledged = await crash(directory, cities)
  heading('Opening what it left behind')
  const db = await open(directory, { writeBufferBytes: WRITE_BUFFER_BYTES })
  showRecovery(db.recoveryInfo)
  const present = await checkNothingIsLost(db, cities, acknowledged)
  await finishImport(db, cities, present)
  const [first] = await readCountry(db)
  await readAndDelete(db, first)
  await showLayers(db)
  await db.close()
  showNextSteps(directory, keyOf(first))
}

try {
  await main()
} catch (error) {
  print(`\n${style('red', `✗ ${(error as Error).message}`)}`)
  // A database that is still open would keep the process alive.
  process.exit(1)
}
