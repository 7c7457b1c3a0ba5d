/**
 * Backup: an open database, as of one moment, as a stream of bytes, while writes go on. Chunks are made as they are asked for:
 * whoever reads slowly slows the backup down, and memory holds one chunk.
 *
 * The state is that of the first chunk's making: tables, which are held, logs up to the last acknowledged write, and a MANIFEST
 * that names just these. The tables' bytes are passed on as they are; `verify` tells of the restored database whether they were sound.
 */
import type { WritableFile } from '../../base/environment.ts'
import { CorruptionError } from '../../base/errors.ts'
import { manifestName } from '../../base/filename.ts'
import type { Bytes } from '../../base/types.ts'
import { LogWriter } from '../../log/log-writer.ts'
import { encodeEdit, type VersionEdit } from '../../version/version-edit.ts'
import type { Engine } from '../engine.ts'
import { BackupEncoder, DATA_BYTES } from './backup-format.ts'
import { Capture, type CapturedFile, type CapturedTable, type CopyMoment } from './capture.ts'

type Chunks = Generator<Uint8Array<ArrayBuffer>, void, void>

/** @throws ClosedError, ReadOnlyError, CorruptionError, IOError */
export function* backupChunks(engine: Engine, moment: CopyMoment): Chunks {
  const capture = new Capture(engine, moment)
  const encoder = new BackupEncoder()
  try {
    yield encoder.start()
    for (const table of capture.tables()) yield* tableChunks(engine, capture, encoder, table)
    for (const log of capture.logs) yield* fileChunks(capture, encoder, log)
    yield* manifestChunks(encoder, manifestName(capture.manifestNumber), capture.edits)
    yield encoder.end()
  } finally {
    capture.release()
  }
}

function* tableChunks(
  { environment }: Engine,
  capture: Capture,
  encoder: BackupEncoder,
  { name, path, bytes }: CapturedTable,
): Chunks {
  capture.check()
  const file = environment.files.openRandomAccess(path)
  try {
    if (file.bytes !== bytes) {
      throw new CorruptionError(`table has ${file.bytes} bytes, the MANIFEST says ${bytes}`, { file: path })
    }
    yield* fileChunks(capture, encoder, { name, file, bytes })
  } finally {
    file.close()
  }
}

function* fileChunks(capture: Capture, encoder: BackupEncoder, { name, file, bytes }: CapturedFile): Chunks {
  yield encoder.file(name, bytes)
  for (let at = 0; at < bytes; at += DATA_BYTES) {
    capture.check()
    const length = Math.min(DATA_BYTES, bytes - at)
    yield encoder.data(length, (record, offset) => file.read(at, record, offset, length))
  }
}

function* manifestChunks(encoder: BackupEncoder, name: string, edits: readonly VersionEdit[]): Chunks {
  const memory = new MemorySink()
  const log = new LogWriter(memory)
  for (const edit of edits) {
    const encoded = encodeEdit(edit)
    log.add(encoded, 0, encoded.length)
  }
  log.flush()
  const { bytes } = memory
  yield encoder.file(name, bytes.length)
  for (let at = 0; at < bytes.length; at += DATA_BYTES) {
    const length = Math.min(DATA_BYTES, bytes.length - at)
    yield encoder.data(length, (record, offset) => record.set(bytes.subarray(at, at + length), offset))
  }
}

/** A file that is written in one go, to memory. */
class MemorySink implements WritableFile {
  readonly path: string = 'MANIFEST'
  bytes: Bytes = new Uint8Array(0)

  append(bytes: Bytes, offset: number, length: number): void {
    const grown = new Uint8Array(this.bytes.length + length)
    grown.set(this.bytes)
    grown.set(bytes.subarray(offset, offset + length), this.bytes.length)
    this.bytes = grown
  }

  sync(): void {}

  syncLater(): Promise<void> {
    return Promise.resolve()
  }

  close(): void {}
}
