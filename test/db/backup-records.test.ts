/** Backups whose checksums are right and whose records are not: each is refused where it goes wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putFixed32, putFixed64 } from '../../src/base/coding.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { CorruptionError, NotSupportedError } from '../../src/base/errors.ts'
import { BackupDecoder, BackupEncoder } from '../../src/db/copies/backup-format.ts'

const [HEADER, FILE, DATA, TRAILER] = [1, 2, 3, 4]
const MAGIC = [0x89, 0x76, 0x62, 0x61, 0x6b, 0x0d, 0x0a, 0x1a]

type Record = readonly [type: number, payload: Uint8Array]

function u32(value: number, length: number = 4): Uint8Array {
  const bytes = new Uint8Array(Math.max(4, length))
  putFixed32(bytes, 0, value)
  return bytes.subarray(0, length)
}

function file(name: string, bytes: number): Record {
  const payload = new Uint8Array(8 + name.length)
  putFixed64(payload, 0, bytes)
  payload.set(new TextEncoder().encode(name), 8)
  return [FILE, payload]
}

function data(length: number): Record {
  return [DATA, new Uint8Array(length).fill(7)]
}

const header: Record = [HEADER, u32(1)]

/** Records one after the other, each with the checksum of all that comes before it. */
function streamOf(records: readonly Record[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from(MAGIC)]
  let crc = crc32c(parts[0], 0, MAGIC.length)
  for (const [type, payload] of records) {
    const record = new Uint8Array(9 + payload.length)
    record[0] = type
    putFixed32(record, 1, payload.length)
    record.set(payload, 9)
    crc = crc32c(payload, 0, payload.length, crc32c(record, 0, 5, crc))
    putFixed32(record, 5, maskCrc(crc))
    parts.push(record)
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

/** What the files of a stream are, and how many of their bytes come. */
function decoded(stream: Uint8Array, chunkBytes: number = stream.length): string[] {
  const found: string[] = []
  let bytes = 0
  const decoder = new BackupDecoder({
    beginFile: (name, { type, number }, length) => {
      found.push(`${name} ${type} ${number} ${length}`)
      bytes = 0
    },
    fileData: (chunk, offset, length) => {
      assert.ok(chunk.subarray(offset, offset + length).every((byte) => byte === 7))
      bytes += length
    },
    endFile: () => found.push(`end after ${bytes}`),
  })
  for (let at = 0; at < stream.length; at += chunkBytes) decoder.push(stream.subarray(at, at + chunkBytes))
  decoder.finish()
  return found
}

const WHOLE: readonly Record[] = [
  header,
  file('000005.log', 0),
  file('000007.ldb', 5),
  data(3),
  data(2),
  file('MANIFEST-000002', 4),
  data(4),
  [TRAILER, u32(3)],
]
const FILES = [
  '000005.log log 5 0',
  'end after 0',
  '000007.ldb table 7 5',
  'end after 5',
  'MANIFEST-000002 manifest 2 4',
  'end after 4',
]

test('a stream is read alike, however it is cut into chunks', () => {
  const stream = streamOf(WHOLE)
  for (let chunkBytes = 1; chunkBytes <= stream.length; chunkBytes++)
    assert.deepEqual(decoded(stream, chunkBytes), FILES)
})

test('what is encoded is these records', () => {
  const encoder = new BackupEncoder()
  const fill = (record: Uint8Array, offset: number): void => void record.fill(7, offset)
  const chunks = [encoder.start()]
  chunks.push(
    encoder.file('000005.log', 0),
    encoder.file('000007.ldb', 5),
    encoder.data(3, fill),
    encoder.data(2, fill),
  )
  chunks.push(encoder.file('MANIFEST-000002', 4), encoder.data(4, fill), encoder.end())
  assert.deepEqual(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])), streamOf(WHOLE))
})

/** `at`: the number of the record that is wrong. */
const REFUSED: readonly (readonly [what: string, records: readonly Record[], at: number, reason: RegExp])[] = [
  ['no header', WHOLE.slice(1), 0, /out of order/],
  ['a second header', [header, header], 1, /out of order/],
  ['a header without a version', [[HEADER, u32(1, 3)]], 0, /header is too short/],
  ['an empty header', [[HEADER, u32(1, 0)]], 0, /header is too short/],
  ['a header with more', [[HEADER, u32(1, 8).slice(0, 5)]], 0, /header is too long/],
  ['a type that there is not', [header, [5, u32(0)]], 1, /unknown type 5/],
  ['an empty record of type 0', [header, [0, u32(0, 0)]], 1, /unknown type 0/],
  ['a file without a size', [header, [FILE, u32(0, 4)]], 1, /possible size/],
  ['a file of more than 2^53 bytes', [header, [FILE, new Uint8Array(18).fill(255)]], 1, /possible size/],
  ['a name of 57 letters', [header, file(`${'0'.repeat(53)}.ldb`, 1)], 1, /not that of a database file/],
  ['the name of a temporary file', [header, file('000007.dbtmp', 1)], 1, /not that of a database file/],
  ['the name of the lock', [header, file('LOCK', 1)], 1, /not that of a database file/],
  ['an unusual name', [header, file('7.ldb', 1)], 1, /not that of a database file/],
  ['two files of one number', [header, file('000007.ldb', 0), file('000007.sst', 0)], 2, /two files of the number 7/],
  [
    'a file before the one before it ends',
    [header, file('000007.ldb', 2), data(1), file('000008.ldb', 0)],
    3,
    /too early/,
  ],
  ['a file after the MANIFEST', [header, file('MANIFEST-000002', 0), file('000008.ldb', 0)], 2, /follows the MANIFEST/],
  ['data before any file', [header, data(1)], 1, /belongs to no file/],
  ['no data', [header, file('000007.ldb', 2), data(0)], 2, /belongs to no file/],
  ['more data than the file has', [header, file('000007.ldb', 2), data(3)], 2, /belongs to no file/],
  ['data after the file', [header, file('000007.ldb', 2), data(2), data(1)], 3, /belongs to no file/],
  ['an end that counts wrong', [...WHOLE.slice(0, -1), [TRAILER, u32(2)]], 7, /end does not fit/],
  ['an end that is too long', [...WHOLE.slice(0, -1), [TRAILER, u32(3, 5)]], 7, /end does not fit/],
  ['an end that is too short', [...WHOLE.slice(0, -1), [TRAILER, u32(3, 3)]], 7, /end does not fit/],
  ['an end inside a file', [...WHOLE.slice(0, -2), [TRAILER, u32(3)]], 6, /end does not fit/],
  ['an end without a MANIFEST', [header, file('000007.ldb', 0), [TRAILER, u32(1)]], 2, /end does not fit/],
  ['something after the end', [...WHOLE, data(1)], 8, /something after its end/],
  [
    'more than a mebibyte in a record',
    [header, file('000007.ldb', 2 ** 30), data(2 ** 20 + 1)],
    2,
    /a record of 1048577/,
  ],
]

for (const [what, records, at, reason] of REFUSED) {
  test(`a backup with ${what} is refused at that record`, () => {
    const offset = streamOf(records.slice(0, at)).length
    for (const chunkBytes of [1000, 7]) {
      if (chunkBytes === 7 && records.length > 2 && records[2][1].length > 1000) continue
      assert.throws(
        () => decoded(streamOf(records), chunkBytes),
        (error) => {
          assert.ok(error instanceof CorruptionError, String(error))
          assert.match(error.message, reason)
          assert.equal(error.offset, offset)
          return true
        },
      )
    }
  })
}

test('a record of a mebibyte is read', () => {
  const length = 2 ** 20
  const stream = streamOf([header, file('MANIFEST-000002', length), data(length), [TRAILER, u32(1)]])
  assert.deepEqual(decoded(stream), [`MANIFEST-000002 manifest 2 ${length}`, `end after ${length}`])
})

test('another format is not damage, but is not read either', () => {
  for (const version of [0, 2, 257]) {
    assert.throws(() => decoded(streamOf([[HEADER, u32(version)], ...WHOLE.slice(1)])), NotSupportedError)
  }
})

test('a stream that ends early is refused with the offset at which it ends', () => {
  const stream = streamOf(WHOLE)
  for (let length = 0; length < stream.length; length++) {
    assert.throws(() => decoded(stream.subarray(0, length)), { offset: length, message: /ends too early/ })
  }
})

test('a byte that is changed is refused before anything after its record is used', () => {
  const stream = streamOf(WHOLE)
  const starts = WHOLE.map((_, i) => streamOf(WHOLE.slice(0, i)).length)
  for (let at = 0; at < stream.length; at++) {
    const changed = stream.slice()
    changed[at] ^= 0x40
    assert.throws(
      () => decoded(changed),
      (error) => {
        assert.ok(error instanceof CorruptionError)
        // A length that is changed may reach beyond the end.
        const record = starts.findLast((start) => start <= at) ?? 0
        assert.ok(error.offset === record || /ends too early/.test(error.message), `byte ${at}: ${error.message}`)
        return true
      },
    )
  }
})
