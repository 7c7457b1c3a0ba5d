/**
 * worker-app: a program that a bundler makes one file of, with varve in it. Writes, flushes, reopens and reads, and prints how many
 * threads varve has started, and what failed.
 *
 *   worker-app DIRECTORY [WORKER]    WORKER: where the bundler has put varve's worker program, seen from this file
 */
import { subscribe } from 'node:diagnostics_channel'
import { nodeEnvironment, open } from 'varve'

let threads = 0
subscribe('worker_threads', () => threads++)

const [directory, worker] = process.argv.slice(2)
const options =
  worker === undefined ? {} : { environment: nodeEnvironment({ worker: new URL(worker, import.meta.url) }) }
let db = await open(directory, options)
const failed = []
db.on('background-error', ({ work }) => failed.push(work))
for (let i = 0; i < 1000; i++) await db.put(`key/${i}`, String(i).padStart(100, '.'))
await db.flush()
await db.compactRange()
await db.close()
db = await open(directory, options)
let count = 0
for await (const _ of db.scan({ gte: 'key/', lt: 'key0' })) count++
if (count !== 1000) throw new Error(`${count} entries`)
await db.close()
console.log(`threads: ${threads}, failed: ${failed.join()}`)
