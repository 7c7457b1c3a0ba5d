/**
 * What the threads of shared.ts tell each other.
 */
import type { MemTableToken } from '../../src/public/memtable.ts'

/** What an auditor starts with. */
export interface Auditor {
  readonly token: MemTableToken
  readonly expectedSum: number
}

/** What it found, once the table was frozen. */
export interface AuditReport {
  readonly audits: number
  readonly wrongSums: number
  /** The newest write that it saw. */
  readonly lastSequence: number
}

export function accountKey(account: number): string {
  return `account/${String(account).padStart(4, '0')}`
}
