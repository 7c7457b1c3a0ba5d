/**
 * How a database makes its MemTables: an arena that holds a full write buffer and the group that fills it; and how it is done
 * with them, so that the next one has their memory.
 */
import { NotSupportedError } from '../../base/errors.ts'
import { clearMemory, giveBackMemory } from '../../memtable/arena-memory.ts'
import { MemTable } from '../../memtable/memtable.ts'
import type { MemTableOptions } from '../../memtable/memtable-options.ts'
import type { JobExecutor } from '../../worker/executor.ts'
import type { ResolvedOptions } from '../options.ts'
import type { ReadState } from '../read/read-state.ts'
import { GROUP_BYTES_MAX } from './write-group.ts'

/** A group of tiny entries takes many times its own bytes; what does not fit moves on to the next MemTable. */
const SLACK_BYTES_MAX = 4 * GROUP_BYTES_MAX
/** A small write buffer does not come with an arena of megabytes. */
const SLACK_FACTOR = 4

/**
 * @param needed arena bytes that it must have room for at once: a batch may be larger than the write buffer
 * @param representation 'vector' for one that nobody reads before it is frozen
 * @throws NotSupportedError if the process has no memory, or no address space, for it
 */
export function newMemTable(
  options: ResolvedOptions,
  needed: number,
  representation: MemTableOptions['representation'] = options.memtable,
): MemTable {
  const { writeBufferBytes } = options
  const slackBytes = Math.min(SLACK_BYTES_MAX, SLACK_FACTOR * writeBufferBytes)
  const capacityBytes = Math.max(writeBufferBytes, needed) + slackBytes
  const { memtableChecksums: checksums, comparator } = options
  try {
    // They inherit nothing, whatever has become of the prototype of all objects.
    const own: MemTableOptions = { capacityBytes, representation, comparator, checksums }
    return MemTable.create(Object.assign(Object.create(null), own))
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const message = `there is no memory for a MemTable of ${capacityBytes} bytes; a smaller writeBufferBytes takes less`
    throw new NotSupportedError(message, { cause })
  }
}

/** Be done with a MemTable. @requires no iterator is on it, and no job of a worker that may go on reading it */
export function recycleMemTable(table: MemTable): void {
  table.freeze()
  const memory = table.share().buffer
  clearMemory(memory)
  giveBackMemory(memory)
}

/** Make what a new MemTable goes with, such as its log. If that fails, the MemTable is not needed, and its memory is given back. */
export function orRecycle<T>(table: MemTable, make: () => T): T {
  try {
    return make()
  } catch (error) {
    recycleMemTable(table)
    throw error
  }
}

/** As recycleMemTable; its memory is zeroed where the jobs run, which takes some 20 ms for a full one. */
export function recycleMemTableLater(table: MemTable, executor: JobExecutor): void {
  table.freeze()
  const memory = table.share().buffer
  executor.start({ kind: 'clear', memory }, (error) => {
    if (error === undefined) giveBackMemory(memory)
  })
}

/** Be done with the MemTables of a database that is closed; but a worker that is being ended may still read a frozen one. */
export function recycleLayers({ active, immutables }: ReadState, { readOnly }: ResolvedOptions): void {
  recycleMemTable(active.table)
  // Nothing is flushed then.
  if (readOnly) for (const { table } of immutables) recycleMemTable(table)
}
