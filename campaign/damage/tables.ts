/**
 * Tables made to order, for databases whose levels and compressions are what a campaign wants them to be.
 */
import { bytewiseComparator } from '../../src/base/comparator.ts'
import type { Environment } from '../../src/base/environment.ts'
import { tableName } from '../../src/base/filename.ts'
import { tagHigh, tagLow } from '../../src/base/internal-key.ts'
import { fileNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { tableOptions } from '../../src/jobs/table-options.ts'
import type { Compression } from '../../src/table/compression.ts'
import { TableBuilder } from '../../src/table/table-builder.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'

/** A put, or a delete if there is no value. */
export type Edit = readonly [key: string, value: string | undefined]

const utf8 = new TextEncoder()

/** Write edits, in ascending order of their keys and with the sequences from `sequence` on, to table `number`, durably. */
export function writeTable(
  environment: Environment,
  directory: string,
  number: number,
  edits: readonly Edit[],
  sequence: number,
  compression: Compression,
): FileMetadata {
  const { files, codecs } = environment
  const file = files.createWritable(files.join(directory, tableName(fileNumber(number))))
  const format = { blockBytes: 256, restartInterval: 4, bloomBitsPerKey: 10, compression }
  const builder = new TableBuilder(file, tableOptions(format, bytewiseComparator, codecs))
  edits.forEach(([key, value], i) => {
    const keyBytes = utf8.encode(key)
    const valueBytes = utf8.encode(value ?? '')
    const low = tagLow(sequence + i, value === undefined ? ValueType.DELETION : ValueType.VALUE)
    builder.add(keyBytes, 0, keyBytes.length, low, tagHigh(sequence + i), valueBytes, 0, valueBytes.length)
  })
  builder.finish()
  file.sync()
  file.close()
  const { smallest, largest, fileBytes } = builder
  return { number: fileNumber(number), bytes: fileBytes, smallest, largest }
}
