/**
 * idle-jobs: a table builder, and a compaction of nothing, that a thread which runs jobs keeps and never uses. Between two jobs there
 * are no other objects of these classes, and a full garbage collection that finds none takes their compiled code (db/read/idle-scan.ts).
 */
import type { Comparator } from '../base/comparator.ts'
import type { Environment, WritableFile } from '../base/environment.ts'
import { TableBuilder } from '../table/table-builder.ts'
import { FileNumbers } from '../version/file-numbers.ts'
import { CompactionRun } from './compaction-job.ts'
import type { TableFormat } from './output-format.ts'
import { tableOptions } from './table-options.ts'

const NOWHERE: WritableFile = {
  path: '',
  append() {},
  sync() {},
  syncLater: () => Promise.resolve(),
  close() {},
}
/** With a part of every kind. */
const FORMAT: TableFormat = { blockBytes: 1, restartInterval: 1, bloomBitsPerKey: 1, compression: 'snappy' }

export interface IdleJobs {
  readonly builder: TableBuilder
  readonly compaction: CompactionRun
}

export function idleJobs(environment: Environment, comparator: Comparator): IdleJobs {
  const job = {
    kind: 'compact',
    directory: '',
    level: 1,
    upper: [],
    lower: [],
    grandparents: [],
    deeper: [],
    snapshots: [],
    numbers: FileNumbers.startingAt(1).share(),
    format: FORMAT,
    maxFileBytes: 1,
    outlineBytesMax: 0,
  } as const
  return {
    builder: new TableBuilder(NOWHERE, tableOptions(FORMAT, comparator, undefined)),
    compaction: new CompactionRun(job, environment, comparator, () => {}),
  }
}
