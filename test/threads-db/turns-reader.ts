/**
 * The reading thread of the tests in turns: attaches, and from then on does one operation a schedule, with no turn of its event loop. What
 * it reads is of one batch; the batch's number is the result.
 */
import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import { attach, type Snapshot } from '../../src/public/index.ts'
import { END, FAILED, KEYS, OPERATION, RESULT, STALLED, Turns, type TurnsOrders } from './turns.ts'

const { handle, turns: memory } = workerData as TurnsOrders
const reader = await attach(handle)
const turns = new Turns(1, memory)
let check: () => void = () => {}

function batchOf(values: readonly (Uint8Array | undefined)[]): number {
  const numbers = values.map((value) => Number(Buffer.from(value ?? [])))
  assert.deepEqual([numbers.length, new Set(numbers).size], [KEYS.length, 1], `parts of batches ${numbers}`)
  return numbers[0]
}

function scanned(snapshot: Snapshot): number {
  return batchOf([...reader.valuesSync({ lt: 'b', snapshot }), ...reader.valuesSync({ gte: 'z', snapshot })])
}

function takeSnapshot(): number {
  const snapshot = reader.snapshot()
  const batch = batchOf(reader.getManySync(KEYS, { snapshot }))
  check = () => {
    assert.deepEqual([batchOf(reader.getManySync(KEYS, { snapshot })), scanned(snapshot)], [batch, batch])
    snapshot.close()
  }
  return batch
}

function beginScan(): number {
  const scan = reader.scanSync()
  const first = scan.next().value?.[1]
  check = () => {
    batchOf([first, ...[...scan].filter(([key]) => key[0] !== 0x6d).map(([, value]) => value)])
  }
  return Number(Buffer.from(first ?? []))
}

const OPERATIONS: readonly (() => number)[] = [
  () => Number(Buffer.from(reader.getSync('z0') ?? [])),
  () => batchOf(reader.getManySync(KEYS)),
  () => batchOf([...reader.scanSync()].filter(([key]) => key[0] !== 0x6d).map(([, value]) => value)),
  takeSnapshot,
  beginScan,
  () => {
    check()
    check = () => {}
    return 0
  },
]

function result(operation: number): number {
  try {
    return OPERATIONS[operation]()
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'STALLED') return STALLED
    parentPort?.postMessage(String((error as Error).stack))
    return FAILED
  }
}

parentPort?.postMessage('attached')
for (;;) {
  turns.awaitTurn()
  const operation = turns.words[OPERATION]
  if (operation === END) break
  turns.words[RESULT] = result(operation)
  turns.leave()
}
await reader.close()
