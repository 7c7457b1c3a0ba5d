/**
 * One open database and two threads that read it while it is written: this one writes sensor readings, the others compute
 * averages over them, in place and without asking this one. Ends with status 1 if a thread saw half a batch.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { open, WriteBatch } from '../../src/public/index.ts'

const BATCHES = 500
const SENSORS = 20

const directory = mkdtempSync(join(tmpdir(), 'varve-example-'))
const db = await open(directory, { writeBufferBytes: 64 * 1024 })

function startReader(): Promise<string> {
  const handle = db.share()
  const program = new URL('./reader.js', import.meta.url)
  const worker = new Worker(program, { workerData: handle, transferList: [handle.port] })
  return new Promise((resolve, reject) => {
    worker.on('message', resolve)
    worker.on('error', reject)
  })
}

const readers = [startReader(), startReader()]
for (let i = 1; i <= BATCHES; i++) {
  const batch = new WriteBatch()
  for (let sensor = 0; sensor < SENSORS; sensor++) batch.put(`sensor:${sensor}`, `${i}`)
  await db.write(batch)
}
await db.put('done', 'yes')
for (const report of await Promise.all(readers)) console.log(report)
const { flushes, lastSequence } = db.stats()
console.log(`${lastSequence} writes, ${flushes} flushes meanwhile`)
await db.close()
rmSync(directory, { recursive: true, force: true })
