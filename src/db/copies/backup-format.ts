/**
 * The backup stream: all files of a database, one after another, in one file or pipe (docs/rfcs/0012-backup-format.md).
 *
 * Format   stream  := magic (8 bytes) ‖ header record ‖ (file record ‖ data record*)* ‖ trailer record
 *          record  := type u8 ‖ payload length u32le ‖ masked CRC-32C u32le ‖ payload
 *   1 header   version u32le (1)                        3 data     bytes of the file, in their order
 *   2 file     bytes u64le ‖ name                       4 trailer  number of files u32le
 *          A record's CRC is of the whole stream up to its end, without the CRC fields themselves: it is continued from
 *          record to record. So a record that is missing, moved or repeated is as wrong as one that is damaged, and the
 *          trailer's CRC is that of everything.
 * Names    tables (`.ldb`, `.sst`), logs, and one MANIFEST, which comes last; numbers in their usual form; no name twice.
 *          CURRENT is not in it: it is written by whoever has checked all the rest.
 * Bounds   a payload has at most MAX_PAYLOAD_BYTES, a file exactly the bytes that it announces; nothing follows the trailer
 */
import { getFixed32, getFixed64, putFixed32, putFixed64 } from '../../base/coding.ts'
import { crc32c, maskCrc, unmaskCrc } from '../../base/crc32c.ts'
import { CorruptionError, NotSupportedError } from '../../base/errors.ts'
import { isUsualName, type ParsedName, parseFileName } from '../../base/filename.ts'
import type { Bytes } from '../../base/types.ts'

const VERSION = 1
/** As PNG's: with bytes that a transfer as text would change. */
const MAGIC: Bytes = Uint8Array.of(0x89, 0x76, 0x62, 0x61, 0x6b, 0x0d, 0x0a, 0x1a)

const HEADER = 1
const FILE = 2
const DATA = 3
const TRAILER = 4

/** Bytes of a record before its payload. */
const RECORD_BYTES = 9
const CRC_OFFSET = 5
const MAX_PAYLOAD_BYTES = 1024 * 1024
/** Payload of the data records that are written. */
export const DATA_BYTES: number = 256 * 1024

type Chunk = Uint8Array<ArrayBuffer>

/** Makes the records of a stream. Each is in memory of its own. */
export class BackupEncoder {
  #crc = crc32c(MAGIC, 0, MAGIC.length)
  #files = 0

  /** The stream's beginning. */
  start(): Chunk {
    const record = this.#record(HEADER, 4, (payload) => putFixed32(payload, RECORD_BYTES, VERSION))
    const chunk = new Uint8Array(MAGIC.length + record.length)
    chunk.set(MAGIC)
    chunk.set(record, MAGIC.length)
    return chunk
  }

  /** Announces a file; its data follows. */
  file(name: string, bytes: number): Chunk {
    this.#files++
    const encoded = new TextEncoder().encode(name)
    return this.#record(FILE, 8 + encoded.length, (record) => {
      putFixed64(record, RECORD_BYTES, bytes)
      record.set(encoded, RECORD_BYTES + 8)
    })
  }

  /** @param fill writes `length` bytes of the file into the record, from the given offset on */
  data(length: number, fill: (record: Chunk, offset: number) => void): Chunk {
    return this.#record(DATA, length, (record) => fill(record, RECORD_BYTES))
  }

  /** The stream's end. */
  end(): Chunk {
    return this.#record(TRAILER, 4, (record) => putFixed32(record, RECORD_BYTES, this.#files))
  }

  #record(type: number, length: number, fill: (record: Chunk) => void): Chunk {
    const record = new Uint8Array(RECORD_BYTES + length)
    record[0] = type
    putFixed32(record, 1, length)
    fill(record)
    this.#crc = continueCrc(this.#crc, record, record, RECORD_BYTES, length)
    putFixed32(record, CRC_OFFSET, maskCrc(this.#crc))
    return record
  }
}

function continueCrc(crc: number, head: Bytes, payload: Bytes, offset: number, length: number): number {
  return crc32c(payload, offset, length, crc32c(head, 0, CRC_OFFSET, crc))
}

/** Where the files of a stream go. Bytes are borrowed until return. */
export interface BackupSink {
  beginFile(name: string, parsed: ParsedName, bytes: number): void
  fileData(bytes: Bytes, offset: number, length: number): void
  endFile(): void
}

/** Reads a stream, given to it in chunks of any length. Keeps one record at most in memory. */
export class BackupDecoder {
  readonly #sink: BackupSink
  /** Offset in the stream of the record, or of the magic, that is being gathered. */
  #start = 0
  readonly #head: Uint8Array<ArrayBuffer> = new Uint8Array(RECORD_BYTES)
  #payload: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #hasMagic = false
  #gathered = 0
  #crc = 0
  #previousType = 0
  #left = 0
  #files = 0
  /** Of the files so far. */
  readonly #numbers = new Set<number>()
  #hasManifest = false

  constructor(sink: BackupSink) {
    this.#sink = sink
  }

  /** @throws CorruptionError, NotSupportedError (another version); and what the sink throws */
  push(chunk: Bytes): void {
    let at = 0
    while (at < chunk.length) at += this.#take(chunk, at)
  }

  /** The source has ended. @throws CorruptionError if the stream has not */
  finish(): void {
    if (this.#previousType !== TRAILER) this.#damaged('it ends too early', this.#start + this.#gathered)
  }

  /** @returns how many bytes of the chunk were taken, at least one */
  #take(chunk: Bytes, at: number): number {
    if (this.#previousType === TRAILER) this.#damaged('there is something after its end')
    const headBytes = this.#hasMagic ? RECORD_BYTES : MAGIC.length
    if (this.#gathered < headBytes) {
      const length = Math.min(headBytes - this.#gathered, chunk.length - at)
      this.#head.set(chunk.subarray(at, at + length), this.#gathered)
      this.#gathered += length
      if (this.#gathered === headBytes) this.#headTaken()
      return length
    }
    const bytes = getFixed32(this.#head, 1)
    const done = this.#gathered - headBytes
    const length = Math.min(bytes - done, chunk.length - at)
    this.#payload.set(chunk.subarray(at, at + length), done)
    this.#gathered += length
    if (done + length === bytes) this.#recordTaken(bytes)
    return length
  }

  #headTaken(): void {
    if (!this.#hasMagic) {
      if (MAGIC.some((byte, i) => byte !== this.#head[i])) this.#damaged('it is not a backup')
      this.#hasMagic = true
      this.#crc = crc32c(MAGIC, 0, MAGIC.length)
      this.#start = MAGIC.length
      this.#gathered = 0
      return
    }
    const bytes = getFixed32(this.#head, 1)
    if (bytes > MAX_PAYLOAD_BYTES) this.#damaged(`a record of ${bytes} bytes`)
    if (bytes > this.#payload.length) this.#payload = new Uint8Array(Math.max(bytes, 4096))
    if (bytes === 0) this.#recordTaken(0)
  }

  #recordTaken(bytes: number): void {
    this.#crc = continueCrc(this.#crc, this.#head, this.#payload, 0, bytes)
    if (this.#crc !== unmaskCrc(getFixed32(this.#head, CRC_OFFSET))) this.#damaged('a record fails its checksum')
    const type = this.#head[0]
    const isFirst = this.#previousType === 0
    if (isFirst !== (type === HEADER)) this.#damaged('its records are out of order')
    if (type === HEADER) this.#header(bytes)
    else if (type === FILE) this.#file(bytes)
    else if (type === DATA) this.#data(bytes)
    else if (type === TRAILER) this.#trailer(bytes)
    else this.#damaged(`a record of the unknown type ${type}`)
    this.#previousType = type
    this.#start += this.#gathered
    this.#gathered = 0
  }

  #header(bytes: number): void {
    if (bytes < 4) this.#damaged('its header is too short')
    const version = getFixed32(this.#payload, 0)
    if (version !== VERSION) {
      throw new NotSupportedError(`the backup has the format ${version}, and this varve reads ${VERSION}`)
    }
    if (bytes !== 4) this.#damaged('its header is too long')
  }

  #file(payloadBytes: number): void {
    if (this.#left > 0) this.#damaged('a file ends too early')
    if (this.#hasManifest) this.#damaged('a file follows the MANIFEST')
    const bytes = payloadBytes < 8 ? -1 : getFixed64(this.#payload, 0)
    if (bytes < 0) this.#damaged('a file with an impossible size')
    const name = String.fromCharCode(...this.#payload.subarray(8, Math.min(payloadBytes, 64)))
    const parsed = parseFileName(name)
    const isData = parsed?.type === 'table' || parsed?.type === 'log' || parsed?.type === 'manifest'
    if (payloadBytes > 64 || parsed === undefined || !isData || !isUsualName(name)) {
      this.#damaged('a file whose name is not that of a database file')
    }
    if (this.#numbers.has(parsed.number)) this.#damaged(`two files of the number ${parsed.number}`)
    this.#numbers.add(parsed.number)
    this.#hasManifest = parsed.type === 'manifest'
    this.#files++
    this.#left = bytes
    this.#sink.beginFile(name, parsed, bytes)
    if (bytes === 0) this.#sink.endFile()
  }

  #data(bytes: number): void {
    if (bytes === 0 || bytes > this.#left) this.#damaged('data that belongs to no file')
    this.#sink.fileData(this.#payload, 0, bytes)
    this.#left -= bytes
    if (this.#left === 0) this.#sink.endFile()
  }

  #trailer(bytes: number): void {
    if (bytes !== 4 || this.#left > 0 || !this.#hasManifest || getFixed32(this.#payload, 0) !== this.#files) {
      this.#damaged('its end does not fit what comes before')
    }
  }

  #damaged(what: string, offset: number = this.#start): never {
    throw new CorruptionError(`the backup cannot be used: ${what} (at byte ${offset})`, { offset })
  }
}
