/**
 * Chores: calls of the file system that take long and compute nothing, done where the jobs are, so that the database's thread
 * does not wait for a disk. fdatasync of a MANIFEST beside tables that are being written, and the removal of a large file,
 * take tens of milliseconds each; and so does zeroing the memory of a MemTable.
 */
import type { Environment, FileSystem } from '../base/environment.ts'
import { systemErrorCode, toWire, type WireError } from '../base/errors.ts'
import { clearMemory } from '../memtable/arena-memory.ts'
import { prepareCurrent, switchCurrent } from '../version/manifest.ts'
import type { EditSync } from '../version/version-set.ts'

/** Zero memory that nobody uses, for the next MemTable. */
export interface ClearJob {
  readonly kind: 'clear'
  /** Of a frozen arena. */
  readonly memory: SharedArrayBuffer
}

export interface ClearResult {
  readonly kind: 'clear'
}

/** Take a step by which the edit that a MANIFEST ends with becomes durable. */
export interface SyncJob extends EditSync {
  readonly kind: 'sync'
}

export interface SyncResult {
  readonly kind: 'sync'
}

/** Remove files that nobody needs. */
export interface RemoveJob {
  readonly kind: 'remove'
  /** Of each file the paths at which it may be: the first at which there is something is removed. */
  readonly files: readonly (readonly string[])[]
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
export function runSyncJob({ step, path, directory, number }: SyncJob, { files }: Environment): SyncResult {
  if (step !== 'switch') files.syncFile(path)
  if (step === 'prepare') prepareCurrent(files, directory, number)
  if (step === 'switch') switchCurrent(files, directory, number)
  return { kind: 'sync' }
}

/** Tries all of them. That a file is at none of its paths is a failure only if it has a single one. */
export function runRemoveJob(job: RemoveJob, { files }: Environment): RemoveResult {
  const failures: WireError[] = []
  for (const paths of job.files) {
    try {
      removeFirst(files, paths)
    } catch (error) {
      failures.push(toWire(error))
    }
  }
  return { kind: 'remove', failures }
}

function removeFirst(files: FileSystem, paths: readonly string[]): void {
  for (const path of paths) {
    try {
      files.remove(path)
      return
    } catch (error) {
      if (paths.length === 1 || systemErrorCode(error) !== 'ENOENT') throw error
    }
  }
}
