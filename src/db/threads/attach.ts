/**
 * attach: from a handle that another thread shared to that thread's database, to be read on this one.
 */
import type { KeyOrder } from '../../base/comparator.ts'
import type { Environment } from '../../base/environment.ts'
import { InvalidArgumentError, NotSupportedError } from '../../base/errors.ts'
import { checkCallOptions } from '../../base/known-options.ts'
import { isSharedMemory } from '../../base/shared-memory.ts'
import { closed, promised } from '../call-options.ts'
import { defaultEnvironment } from '../open.ts'
import { resolveOptions } from '../options.ts'
import type { AttachedOptions } from './attached-host.ts'
import { DBReader } from './db-reader.ts'
import type { ShareHandle } from './share-handle.ts'
import * as Layout from './share-layout.ts'

/** Options of `attach`. */
export interface AttachOptions {
  /** The comparator with which the database was opened, if any: functions cannot be sent to other threads. */
  readonly comparator?: KeyOrder | undefined
  /** As for `open`, for this thread's own cache. Default 32 MiB. */
  readonly blockCacheBytes?: number | undefined
  /** As for `open`, for this thread's own cache. Default 128 MiB. */
  readonly tableCacheBytes?: number | undefined
  /** As for `open`, for this thread. Default 1000. */
  readonly maxOpenFiles?: number | undefined
  /** Longest wait for an answer of the owner's thread, for a thread that has not read for long. Default 60,000 ms. */
  readonly stallTimeoutMs?: number | undefined
  /** Files and threads. Default: Node's. */
  readonly environment?: Environment | undefined
}

const KNOWN = new Set([
  'comparator',
  'blockCacheBytes',
  'tableCacheBytes',
  'maxOpenFiles',
  'stallTimeoutMs',
  'environment',
])

/**
 * Read, on this thread, the database whose `share` made `handle`. A handle can be used once. Resolves when the owner's thread
 * has answered.
 * @throws (rejects with) InvalidArgumentError if it is no handle, or was used before, or the comparator is another one;
 *   ClosedError if the database is closed; NotSupportedError without threads
 */
export function attach(handle: ShareHandle, options: AttachOptions = {}): Promise<DBReader> {
  return promised(() => {
    checkCallOptions('attach', options, KNOWN)
    const resolved = resolveOptions(options, defaultEnvironment)
    checkHandle(handle, resolved)
    const { ports } = resolved.environment
    if (ports === undefined) throw new NotSupportedError('the environment has no threads to share with')
    const port = ports.adopt(handle.port)
    if (port === undefined) throw new InvalidArgumentError('a handle needs its port, which has to be transferred')
    if (Atomics.exchange(new Int32Array(handle.reader), Layout.ATTACHED, 1) === 1) {
      throw new InvalidArgumentError('a handle can be used once, and this one has been used already')
    }
    return new Promise((resolve, reject) => {
      const reader = new DBReader(handle, port, resolved, () => {
        if (reader.isOpen) resolve(reader)
        else reject(closed())
      })
    })
  })
}

function checkHandle(handle: ShareHandle, { comparator }: AttachedOptions): void {
  if (
    typeof handle !== 'object' ||
    handle === null ||
    !isSharedMemory(handle.control) ||
    !isSharedMemory(handle.reader)
  ) {
    throw new InvalidArgumentError('attach takes a handle that DB.share() made')
  }
  if (handle.comparator === comparator.name) return
  throw new InvalidArgumentError(
    `the database's keys are ordered by ${String(handle.comparator)}, not by ${comparator.name}: attach with its comparator`,
  )
}
