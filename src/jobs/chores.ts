/**
 * Chores: calls of the file system that take long and compute nothing, done where the jobs are, so that the database's thread
 * does not wait for a disk. fdatasync of a MANIFEST beside tables that are being written, and the removal of a large file,
 * take tens of milliseconds each; and so does zeroing the memory of a MemTable.
 */
import type { Environment } from '../base/environment.ts'
import { toWire, type WireError } from '../base/errors.ts'
import { clearMemory } from '../memtable/arena-memory.ts'

/** Zero memory that nobody uses, for the next MemTable. */
export interface ClearJob {
  readonly kind: 'clear'
  /** Of a frozen arena. */
  readonly memory: SharedArrayBuffer
}

export interface ClearResult {
  readonly kind: 'clear'
}

/** Make what a file holds durable, by its path. */
export interface SyncJob {
  readonly kind: 'sync'
  readonly path: string
}

export interface SyncResult {
  readonly kind: 'sync'
}

/** Remove files that nobody needs. */
export interface RemoveJob {
  readonly kind: 'remove'
  readonly paths: readonly string[]
}

export interface RemoveResult {
  readonly kind: 'remove'
  /** One for each file that could not be removed. */
  readonly failures: readonly WireError[]
}

export function runClearJob({ memory }: ClearJob): ClearResult {
  clearMemory(memory)
  return { kind: 'clear' }
}

/** @throws IOError */
export function runSyncJob({ path }: SyncJob, { files }: Environment): SyncResult {
  files.syncFile(path)
  return { kind: 'sync' }
}

/** Tries all of them. */
export function runRemoveJob({ paths }: RemoveJob, { files }: Environment): RemoveResult {
  const failures: WireError[] = []
  for (const path of paths) {
    try {
      files.remove(path)
    } catch (error) {
      failures.push(toWire(error))
    }
  }
  return { kind: 'remove', failures }
}
