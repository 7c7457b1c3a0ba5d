/**
 * Dumping a file of a database, whichever it is. The name says what a file is; for other names its content does, so that
 * copies and fragments can be looked at.
 *
 * Principles  never modify; show what is broken; discard nothing
 */
import { equalBytes } from '../base/bytes.ts'
import type { Codecs, RandomAccessFile } from '../base/environment.ts'
import { type FileType, parseFileName } from '../base/filename.ts'
import type { Bytes } from '../base/types.ts'
import { batchFault } from '../batch/batch-format.ts'
import { LogReader } from '../log/log-reader.ts'
import { encodeFooter, FOOTER_BYTES } from '../table/table-format.ts'
import { decodeEdit } from '../version/version-edit.ts'
import { dumpLog } from './dump-log.ts'
import { dumpManifest } from './dump-manifest.ts'
import { dumpTable } from './dump-table.ts'
import { showPlural } from './figures.ts'
import { findBlocks } from './find-blocks.ts'
import { type BytesStyle, decodeText, quoteBytes } from './render-bytes.ts'

const NAMES: Readonly<Record<FileType, string>> = {
  log: 'write-ahead log',
  table: 'table',
  manifest: 'manifest',
  temporary: 'temporary file',
  current: 'names the manifest',
  lock: 'lock',
  'info-log': 'messages',
}

/** Files of a few lines of text are shown up to here. */
const MAX_TEXT_BYTES = 4096
const MAGIC_BYTES = 8
const LF = 0x0a

/** What a file of another name is by its content; undefined if it is none of a database's. */
function sniffContent(file: RandomAccessFile): FileType | undefined {
  if (hasTableMagic(file)) return 'table'
  const reader = new LogReader(file)
  if (reader.next()) {
    const { recordBuf, recordOff, recordLen } = reader
    if (batchFault(recordBuf, recordOff, recordLen) === undefined) return 'log'
    return typeof decodeEdit(recordBuf, recordOff, recordLen) === 'string' ? undefined : 'manifest'
  }
  // A table without its end still begins with a block.
  return findBlocks(file).next().done ? undefined : 'table'
}

/** Whether the file ends as tables do; its footer may be damaged otherwise. */
function hasTableMagic(file: RandomAccessFile): boolean {
  if (file.bytes < FOOTER_BYTES) return false
  const nowhere = { offset: 0, bytes: 0 }
  const magic = encodeFooter({ metaindex: nowhere, index: nowhere }).subarray(-MAGIC_BYTES)
  const end = new Uint8Array(MAGIC_BYTES)
  file.read(file.bytes - MAGIC_BYTES, end, 0, MAGIC_BYTES)
  return equalBytes(end, 0, MAGIC_BYTES, magic, 0, MAGIC_BYTES)
}

/**
 * The lines of a dump, without line feeds. They are made as they are asked for: a file of any size streams.
 * @param name without directory
 * @param codecs the environment's, for compressed tables
 * @throws IOError if the file cannot be read; damage is shown, not thrown
 */
export function* dumpFile(
  file: RandomAccessFile,
  name: string,
  style: BytesStyle,
  codecs: Codecs = {},
): Generator<string> {
  const type = parseFileName(name)?.type ?? sniffContent(file)
  yield `${name}: ${type === undefined ? 'not recognised' : NAMES[type]}, ${showPlural(file.bytes, 'byte')}`
  if (type === 'log') yield* dumpLog(file, style)
  else if (type === 'table') yield* dumpTable(file, style, codecs)
  else if (type === 'manifest') yield* dumpManifest(file, style)
  else yield* dumpText(file, style)
}

function* dumpText(file: RandomAccessFile, style: BytesStyle): Generator<string> {
  if (file.bytes === 0) return
  const bytes = new Uint8Array(Math.min(file.bytes, MAX_TEXT_BYTES))
  file.read(0, bytes, 0, bytes.length)
  if (decodeText(bytes) === undefined) yield `  ${quoteBytes(bytes, 0, bytes.length, style)}`
  else yield* textLines(bytes, style)
  if (file.bytes > bytes.length) yield `  … ${showPlural(file.bytes - bytes.length, 'byte')} more`
}

function* textLines(bytes: Bytes, style: BytesStyle): Generator<string> {
  let start = 0
  while (start < bytes.length) {
    const lineFeed = bytes.indexOf(LF, start)
    const end = lineFeed < 0 ? bytes.length : lineFeed
    yield `  ${quoteBytes(bytes, start, end - start, { ...style, maxBytes: MAX_TEXT_BYTES })}`
    start = end + 1
  }
}
