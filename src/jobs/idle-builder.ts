/**
 * idle-builder: a table builder that a thread which runs jobs keeps and never uses: between two jobs there is no other, and the code
 * that builds tables stays compiled through a full garbage collection only if there is one (db/idle-scan.ts).
 */
import type { Comparator } from '../base/comparator.ts'
import type { WritableFile } from '../base/environment.ts'
import { TableBuilder } from '../table/table-builder.ts'
import { tableOptions } from './flush-job.ts'
import type { TableFormat } from './output-format.ts'

const NOWHERE: WritableFile = {
  path: '',
  append() {},
  sync() {},
  syncLater: () => Promise.resolve(),
  close() {},
}
/** With a part of every kind. */
const FORMAT: TableFormat = { blockBytes: 1, restartInterval: 1, bloomBitsPerKey: 1, compression: 'snappy' }

export function idleBuilder(comparator: Comparator): TableBuilder {
  return new TableBuilder(NOWHERE, tableOptions(FORMAT, comparator, undefined))
}
