/**
 * The executor that a database's background jobs run on, by its options. A comparator is a function, which crosses no
 * thread, so with one of the user's own jobs run inline.
 */
import { bytewiseComparator } from '../../base/comparator.ts'
import type { DirectorySyncs } from '../../worker/directory-syncs.ts'
import type { JobExecutor } from '../../worker/executor.ts'
import { InlineExecutor } from '../../worker/inline-executor.ts'
import type { NoThread } from '../../worker/thread-supply.ts'
import { WorkerExecutor } from '../../worker/worker-executor.ts'
import type { ResolvedOptions } from '../options.ts'
import type { Emit } from '../reports/events.ts'

export function newExecutor(options: ResolvedOptions, emit: Emit, syncs: DirectorySyncs): JobExecutor {
  const inline = new InlineExecutor(options.environment, options.comparator)
  const isInline = options.workers === 0 || options.comparator !== bytewiseComparator
  if (isInline) return inline
  const noThread: NoThread = (error, retryMs) =>
    emit('background-error', { work: 'thread', error, attempt: 1, retryMs })
  return new WorkerExecutor(options.environment, inline, options.workers, noThread, syncs)
}
