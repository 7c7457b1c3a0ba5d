/**
 * use: uses the installed package in all its ways, under any runtime that has Node's modules: workers, the lock, a killed writer,
 * reading threads, varve/level. Prints a line for each, and ends with status 1 at the first that fails.
 *
 *   use DIRECTORY [ARGUMENT…]       ARGUMENTs come before the program when this runtime starts another of itself
 *   use --write DIRECTORY           puts until it is killed, and prints how many it was told are written
 *   use --hold DIRECTORY            opens, prints `held`, and closes when its input ends
 *   use --open DIRECTORY            opens and closes, and prints `opened` or the code of the error
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { attach, open, WriteBatch } from 'varve'
import { VarveLevel } from 'varve/level'
import { MemTable } from 'varve/memtable'

const PROGRAM = fileURLToPath(import.meta.url)
const STEP_TIMEOUT_MS = 300_000
const KILL_AFTER = 3000
const text = (bytes) => new TextDecoder().decode(bytes)
const key = (i) => `user:${String(i).padStart(6, '0')}`
const value = (i) => String(i).padStart(1000, '.')

async function writeUntilKilled(directory) {
  const db = await open(directory, { writeBufferBytes: 256 * 1024 })
  for (let i = 0; ; i++) {
    await db.put(key(i), value(i))
    if (i % 100 === 99) process.stdout.write(`${i + 1}\n`)
  }
}

async function hold(directory) {
  const db = await open(directory)
  console.log('held')
  process.stdin.resume()
  await once(process.stdin, 'end')
  await db.close()
}

async function tryToOpen(directory) {
  try {
    await (await open(directory)).close()
    console.log('opened')
  } catch (error) {
    console.log(error.code)
  }
}

/** Nothing that was acknowledged is missing, and nothing is there that was not written. */
async function isKilledAndRecovers(directory, runtime) {
  const child = spawn(process.execPath, [...runtime, PROGRAM, '--write', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let acknowledged = 0
  child.stdout.setEncoding('utf8').on('data', (lines) => {
    acknowledged = Number(lines.trimEnd().split('\n').at(-1))
    if (acknowledged >= KILL_AFTER) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'close')
  assert.equal(signal, 'SIGKILL')
  const db = await open(directory)
  let count = 0
  for (const [k, v] of db.scanSync()) {
    assert.equal(text(k), key(count))
    assert.equal(text(v), value(count++))
  }
  assert.ok(count >= acknowledged, `${count} of ${acknowledged}`)
  await db.close()
}

async function isRefusedWhileAnotherHolds(directory, runtime) {
  const holder = spawn(process.execPath, [...runtime, PROGRAM, '--hold', directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  await assert.rejects(open(directory), { code: 'LOCKED' })
  holder.stdin.end()
  await once(holder, 'close')
  await (await open(directory)).close()
}

async function writesAndReads(directory) {
  let db = await open(directory, { writeBufferBytes: 256 * 1024 })
  await db.put('greeting', 'hello', { durability: 'disk' })
  assert.equal(text(await db.get('greeting')), 'hello')
  db.deleteSync('greeting', { durability: 'disk' })
  assert.equal(await db.get('greeting'), undefined)
  for (let i = 0; i < 1000; i += 100) {
    const batch = new WriteBatch()
    for (let j = i; j < i + 100; j++) batch.put(key(j), value(j))
    await db.write(batch)
  }
  // Past the write buffers, without a turn of the event loop.
  for (let i = 1000; i < 3000; i++) db.putSync(key(i), value(i))
  await db.flush()
  await db.compactRange()
  assert.ok(readdirSync(directory).some((name) => name.endsWith('.ldb')))
  await assert.rejects(open(directory), { code: 'LOCKED' })
  await db.close()

  db = await open(directory, { createIfMissing: false })
  let count = 0
  for await (const [k, v] of db.scan({ gte: 'user:', lt: 'user;' })) {
    assert.equal(text(k), key(count))
    assert.equal(text(v), value(count++))
  }
  assert.equal(count, 3000)
  await db.close()
}

async function isReadOnAnotherThread(directory) {
  const db = await open(directory)
  const handle = db.share()
  const worker = new Worker(PROGRAM, { workerData: handle, transferList: [handle.port] })
  const [read] = await once(worker, 'message')
  assert.equal(read, value(7))
  assert.equal(text(db.getSync('from a worker')), 'hello')
  await worker.terminate()
  await db.close()
}

async function readAsWorker() {
  const db = await attach(workerData)
  await db.put('from a worker', 'hello')
  parentPort.postMessage(text(db.getSync(key(7))))
}

async function isALevel(directory) {
  const level = new VarveLevel(directory, { valueEncoding: 'json' })
  await level.put('a', { x: 1 }, { sync: true })
  await level.batch([{ type: 'put', key: 'b', value: 2, sublevel: level.sublevel('deep') }])
  assert.deepEqual(await level.iterator({ gte: 'a' }).all(), [['a', { x: 1 }]])
  await level.clear()
  await level.close()
  await VarveLevel.destroy(directory)
  assert.ok(!existsSync(directory) || readdirSync(directory).every((name) => name === 'LOCK'))
}

function isAMemTable() {
  const table = MemTable.create({ capacityBytes: 1 << 20 })
  table.put('b', '2')
  table.put('a', '1')
  table.delete('c')
  assert.equal([...table.rangeScan('a', 'c')].length, 3)
  assert.equal(text(MemTable.attach(structuredClone(table.share())).get('a').value), '1')
}

async function main([directory, ...runtime]) {
  const steps = {
    'writes, flushes, compacts, reopens': () => writesAndReads(`${directory}/db`),
    'a killed writer loses nothing': () => isKilledAndRecovers(`${directory}/killed`, runtime),
    'what another process has open is refused': () => isRefusedWhileAnotherHolds(`${directory}/db`, runtime),
    'another thread reads and writes': () => isReadOnAnotherThread(`${directory}/db`),
    'varve/level': () => isALevel(`${directory}/level`),
    'varve/memtable': isAMemTable,
  }
  for (const [name, step] of Object.entries(steps)) {
    const timer = setTimeout(() => {
      console.log(`${name}: no end`)
      process.exit(1)
    }, STEP_TIMEOUT_MS)
    await step()
    clearTimeout(timer)
    console.log(name)
  }
}

if (!isMainThread) await readAsWorker()
else if (process.argv[2] === '--write') await writeUntilKilled(process.argv[3])
else if (process.argv[2] === '--hold') await hold(process.argv[3])
else if (process.argv[2] === '--open') await tryToOpen(process.argv[3])
else await main(process.argv.slice(2))
