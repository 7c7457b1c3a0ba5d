/**
 * shared-auditor: a reading thread of shared.ts. It adds up all accounts, again and again, until the table is frozen.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { MemTable } from '../../src/public/memtable.ts'
import type { Auditor, AuditReport } from './accounts.ts'

const decoder = new TextDecoder()
const { token, expectedSum } = workerData as Auditor
const table = MemTable.attach(token)
let audits = 0
let wrongSums = 0

function audit(): void {
  let sum = 0
  // All of the scan sees the table as it was at its first entry.
  for (const entry of table.entries()) if (entry.type === 'value') sum += Number(decoder.decode(entry.value))
  audits++
  if (sum !== expectedSum) wrongSums++
}

audit()
parentPort?.postMessage('ready')
while (!table.isFrozen) audit()
// Once more: what is frozen is complete.
audit()
const report: AuditReport = { audits, wrongSums, lastSequence: table.largestSequence }
parentPort?.postMessage(report)
