/**
 * The thread of the example: scans until the writer is done. All sensors of one batch have the same reading, so an average that
 * is no whole number would be half a batch.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { attach } from '../../src/public/index.ts'

const decoder = new TextDecoder()
const db = await attach(workerData)
let scans = 0
let average = 0
for (let done = false; !done; scans++) {
  done = db.hasSync('done')
  let sum = 0
  let count = 0
  for (const value of db.valuesSync({ prefix: 'sensor:' })) {
    sum += Number(decoder.decode(value))
    count++
  }
  average = count === 0 ? 0 : sum / count
  if (!Number.isInteger(average)) throw new Error(`half a batch: an average of ${average}`)
}
await db.close()
parentPort?.postMessage(`${scans} scans, the last one with an average of ${average}`)
