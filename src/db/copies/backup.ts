/**
 * Backup: an open database, as of one moment, as a stream of bytes, while writes go on. Chunks are made as they are asked for:
 * whoever reads slowly slows the backup down, and memory holds one chunk.
 *
 * The state is that of the first chunk's making: tables, which are held, logs up to the last acknowledged write, and a MANIFEST
 * that names just these. The tables' bytes are passed on as they are; `verify` tells of the restored database whether they were sound.
 */
import type { RandomAccessFile, WritableFile } from '../../base/environment.ts'
import { CorruptionError } from '../../base/errors.ts'
import { manifestName } from '../../base/filename.ts'
import type { Bytes } from '../../base/types.ts'
import { LogWriter } from '../../log/log-writer.ts'
import { encodeEdit } from '../../version/version-edit.ts'
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
    yield* manifestChunks(capture, encoder)
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

function* manifestChunks(capture: Capture, encoder: BackupEncoder): Chunks {
  const file = new MemoryFile()
  const log = new LogWriter(file)
  for (const edit of capture.edits) {
    const encoded = encodeEdit(edit)
    log.add(encoded, 0, encoded.length)
  }
  log.flush()
  yield* fileChunks(capture, encoder, { name: manifestName(capture.manifestNumber), file, bytes: file.bytes })
}

/** A file that is only in memory, written first and then read. */
class MemoryFile implements WritableFile, RandomAccessFile {
  readonly path: string = 'MANIFEST'
  #content = new Uint8Array(0)

  get bytes(): number {
    return this.#content.length
  }

  append(bytes: Bytes, offset: number, length: number): void {
    const grown = new Uint8Array(this.bytes + length)
    grown.set(this.#content)
    grown.set(bytes.subarray(offset, offset + length), this.bytes)
    this.#content = grown
  }

  read(offset: number, into: Bytes, intoOffset: number, length: number): void {
    into.set(this.#content.subarray(offset, offset + length), intoOffset)
  }

  sync(): void {}

  syncLater(): Promise<void> {
    return Promise.resolve()
  }

  close(): void {}
}
