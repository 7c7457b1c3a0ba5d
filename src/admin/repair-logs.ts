/**
 * The logs' part of a repair: whether an opening would take them as they are, and if not, all sound batches in them.
 *
 * A batch behind a gap is used too, unlike at an opening: it had been written, and what it says of its keys is newer than
 * anything before it. One whose sequence number goes back is not: it is no continuation of this history.
 */
import { CorruptionError } from '../base/errors.ts'
import { logName } from '../base/filename.ts'
import { type FileNumber, sequenceNumber } from '../base/types.ts'
import * as Batch from '../batch/batch-format.ts'
import { RangeOps } from '../batch/range-ops.ts'
import type { Steps } from '../db/copies/long-runs.ts'
import { LogReplay, type ReplayTarget } from '../db/opening/log-replay.ts'
import { LogSalvage } from '../log/log-salvage.ts'
import type { AdminContext } from './admin-context.ts'
import type { RepairNotes } from './repair-report.ts'

/** Takes batches nowhere, but knows which make no sense in a database of this order of keys. */
export function checkedOnly({ options }: Pick<AdminContext, 'options'>): ReplayTarget {
  const ranges = new RangeOps(options.comparator)
  return { fault: (bytes, offset, length) => ranges.read(bytes, offset, length).fault, replay: () => {} }
}

/** Whether an opening would take every byte of these logs, after tables up to `lastSequence`. */
export function* logsAreSound(
  context: AdminContext,
  logs: readonly FileNumber[],
  lastSequence: number,
): Steps<boolean> {
  const { files, directory } = context
  const replay = new LogReplay(files, directory, 'strict', sequenceNumber(lastSequence), checkedOnly(context))
  try {
    for (const number of logs) yield* replay.steps(number)
    return true
  } catch (error) {
    if (error instanceof CorruptionError) return false
    throw error
  }
}

/**
 * Hand all sound batches to `target`, oldest first, and note the rest as given up.
 * @returns the last sequence seen, or 0
 */
export function* rescueLogs(
  context: AdminContext,
  logs: readonly FileNumber[],
  target: ReplayTarget,
  notes: RepairNotes,
): Steps<number> {
  let lastSequence = 0
  for (const number of logs) {
    const name = logName(number)
    const file = context.files.openRandomAccess(context.files.join(context.directory, name))
    let entries = 0
    try {
      const salvage = new LogSalvage(file)
      while (salvage.next()) {
        const { record, recordStart: offset } = salvage
        const reason = batchFault(record, lastSequence, target)
        if (reason !== undefined) notes.giveUp(name, { offset, bytes: record.length, reason }, true)
        else {
          const count = Batch.batchCount(record, 0)
          if (count > 0) {
            target.replay(record, 0, record.length)
            entries += count
            lastSequence = Batch.batchSequence(record, 0) + count - 1
          }
        }
        context.progress.add(name, record.length)
        yield
      }
      for (const gap of salvage.gaps) notes.giveUp(name, gap, true)
    } finally {
      file.close()
    }
    notes.file(name, 'replayed', entries)
  }
  return lastSequence
}

function batchFault(
  record: Uint8Array<ArrayBufferLike>,
  lastSequence: number,
  target: ReplayTarget,
): string | undefined {
  const fault = Batch.batchFault(record, 0, record.length)
  if (fault !== undefined || Batch.batchCount(record, 0) === 0) return fault
  const sequence = Batch.batchSequence(record, 0)
  if (sequence <= lastSequence) return `batch ${sequence} comes after sequence ${lastSequence}`
  return target.fault(record, 0, record.length)
}
