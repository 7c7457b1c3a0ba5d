/**
 * TableOptions: what a table is built with, made where it is built: a job names a format, and functions do not cross threads.
 */
import type { Comparator } from '../base/comparator.ts'
import type { Codecs } from '../base/environment.ts'
import { BloomFilter } from '../table/bloom-filter.ts'
import { compressorOf } from '../table/compression.ts'
import type { TableOptions } from '../table/table-builder.ts'
import type { TableFormat } from './output-format.ts'

/**
 * @param codecs the environment's
 * @throws NotSupportedError if the format asks for a compression that they lack
 */
export function tableOptions(format: TableFormat, comparator: Comparator, codecs: Codecs | undefined): TableOptions {
  return {
    comparator,
    blockBytes: format.blockBytes,
    restartInterval: format.restartInterval,
    filterPolicy: format.bloomBitsPerKey === 0 ? undefined : new BloomFilter(format.bloomBitsPerKey),
    compressor: compressorOf(format.compression, codecs),
  }
}
