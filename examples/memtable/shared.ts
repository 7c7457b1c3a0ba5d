/**
 * shared: a live MemTable that two worker threads read while this thread writes it: no copies, no locks, no messages. Each
 * transfer takes from one account and gives to another in one batch; whoever reads sees whole batches, so the sum of all
 * accounts never changes.
 *
 *   npm run example:memtable -- shared
 */
import { Worker } from 'node:worker_threads'
import { MemTable } from '../../src/public/memtable.ts'
import { type Auditor, type AuditReport, accountKey } from './accounts.ts'

const ACCOUNTS = 100
const OPENING_BALANCE = 1000
const TRANSFERS = 50_000
const AUDITORS = 2

function startAuditor(auditor: Auditor): { readonly ready: Promise<void>; readonly report: Promise<AuditReport> } {
  const worker = new Worker(new URL('./shared-auditor.js', import.meta.url), { workerData: auditor })
  const ready = new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
  })
  const report = ready.then(() => new Promise<AuditReport>((resolve) => worker.once('message', resolve)))
  return { ready, report }
}

const table = MemTable.create({ capacityBytes: 32 * 1024 * 1024 })
const balances = Array.from({ length: ACCOUNTS }, () => OPENING_BALANCE)
table.putMany(balances.map((balance, i) => [accountKey(i), String(balance)] as const))

// A token is plain data around shared memory: postMessage does not copy it.
const auditor = { token: table.share(), expectedSum: ACCOUNTS * OPENING_BALANCE }
const auditors = Array.from({ length: AUDITORS }, () => startAuditor(auditor))
await Promise.all(auditors.map(({ ready }) => ready))

for (let i = 0; i < TRANSFERS; i++) {
  const [from, to] = [(i * 7) % ACCOUNTS, (i * 13 + 1) % ACCOUNTS]
  const amount = from === to ? 0 : i % 10
  balances[from] -= amount
  balances[to] += amount
  table.putMany([from, to].map((account) => [accountKey(account), String(balances[account])] as const))
}
// The last thing that readers see of it.
table.freeze()

const reports = await Promise.all(auditors.map(({ report }) => report))
for (const { audits, wrongSums, lastSequence } of reports) {
  const seen = `up to number ${lastSequence}: ${wrongSums} wrong sums`
  console.log(`${audits} audits while ${TRANSFERS} transfers were written, ${seen}`)
  if (wrongSums > 0 || lastSequence !== table.largestSequence) process.exitCode = 1
}
console.log(`the sum is still ${balances.reduce((sum, balance) => sum + balance, 0)}`)
