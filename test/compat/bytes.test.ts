/**
 * Byte identity: for the same writes, varve's log and its tables are LevelDB's, byte for byte.
 *
 * LevelDB flushes no table at will; but it turns the log of a closed database into one when it opens it again, with all
 * versions of every key, as varve's flush does. Sequence numbers begin at 1 in both.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { RandomAccessFile } from '../../src/base/environment.ts'
import { Prng } from '../../src/base/prng.ts'
import { batchCount, HEADER_BYTES } from '../../src/batch/batch-format.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import { ROOM_BYTES } from '../../src/log/log-room.ts'
import { testdata } from '../support/paths.ts'
import {
  ascii,
  type EngineOptions,
  onlyFile,
  openLevel,
  openVarve,
  randomBytes,
  randomWrites,
  type Write,
  withDirectory,
} from './engines.ts'

const LOG_BLOCK_BYTES = 32768
const WRITE_BUFFER_BYTES = 64 * 1024 * 1024

/** The log and the table that LevelDB makes of these writes. */
async function levelFiles(
  writes: readonly Write[],
  options: EngineOptions = {},
): Promise<{ log: Buffer; table: Buffer }> {
  let log: Buffer = Buffer.alloc(0)
  let table: Buffer = Buffer.alloc(0)
  await withDirectory(async (directory) => {
    const level = await openLevel(directory, { ...options, writeBufferBytes: WRITE_BUFFER_BYTES })
    for (const write of writes) await level.write(write)
    await level.close()
    log = onlyFile(directory, '.log')
    const again = await openLevel(directory, { ...options, writeBufferBytes: WRITE_BUFFER_BYTES })
    await again.close()
    table = onlyFile(directory, '.ldb')
  })
  return { log, table }
}

async function varveFiles(
  writes: readonly Write[],
  walMarkers: boolean,
  options: EngineOptions = {},
): Promise<{ log: Buffer; table: Buffer }> {
  let log: Buffer = Buffer.alloc(0)
  let table: Buffer = Buffer.alloc(0)
  await withDirectory(async (directory) => {
    const varve = await openVarve(directory, { ...options, writeBufferBytes: WRITE_BUFFER_BYTES, walMarkers })
    for (const write of writes) await varve.write(write)
    log = onlyFile(directory, '.log')
    await varve.db.flush()
    table = onlyFile(directory, '.ldb')
    await varve.close()
  })
  return { log, table }
}

function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const length = Math.max(actual.length, expected.length)
  for (let i = 0; i < length; i++) {
    if (actual[i] !== expected[i]) {
      assert.fail(
        `${what}: byte ${i} is ${actual[i]}, not ${expected[i]} (${actual.length} bytes, not ${expected.length})`,
      )
    }
  }
}

/** The records of a log, without its markers. */
function records(bytes: Buffer): string[] {
  const file: RandomAccessFile = {
    path: 'log',
    bytes: bytes.length,
    read: (offset, into, intoOffset, length) => into.set(bytes.subarray(offset, offset + length), intoOffset),
    close: () => {},
  }
  const reader = new LogReader(file)
  const found: string[] = []
  while (reader.next()) {
    const isMarker = reader.recordLen === HEADER_BYTES && batchCount(reader.recordBuf, reader.recordOff) === 0
    if (isMarker) continue
    found.push(
      Buffer.from(reader.recordBuf.subarray(reader.recordOff, reader.recordOff + reader.recordLen)).toString('hex'),
    )
  }
  assert.equal(reader.fault, undefined)
  return found
}

/** A put whose record ends so many bytes before the end of a log's first block, and two that follow. */
function endingBefore(left: number): Write[] {
  // Header of the record, of the batch; type, key length, key, and a value length of three bytes.
  const overhead = 7 + 12 + 1 + 1 + 1 + 3
  return [
    [[ascii('a'), new Uint8Array(LOG_BLOCK_BYTES - overhead - left).fill(120)]],
    [[ascii('b'), ascii('second')]],
    [[ascii('c')]],
  ]
}

/** Values of words that come again and again, and of runs of one letter. */
function proseWrites(prng: Prng, count: number, valueBytesMax: number): Write[] {
  return Array.from({ length: count }, (_, i) => {
    const length = prng.below(valueBytesMax)
    let text = ''
    while (text.length < length) {
      text += prng.below(6) === 0 ? 'x'.repeat(prng.below(200)) : ` ${WORDS[prng.below(WORDS.length)]}${prng.below(40)}`
    }
    return [[ascii(`user/${String(i % 700).padStart(5, '0')}`), ascii(text.slice(0, length))]]
  })
}

const WORDS: readonly string[] = [
  'sediment',
  'layer',
  'varve',
  'lake',
  'silt',
  'clay',
  'season',
  'thaw',
  '"name":',
  'null',
]

const small: Write[] = [
  [[ascii('apple'), ascii('red')]],
  [[ascii('apple')]],
  [[ascii(''), ascii('')]],
  [[ascii('apple'), ascii('green')], [ascii('apple'), ascii('yellow')], [ascii('banana')]],
]

const CASES: readonly (readonly [name: string, writes: Write[], options?: EngineOptions])[] = [
  ['a few small writes', small],
  ...Array.from(
    { length: 10 },
    (_, left) => [`a record that leaves ${left} bytes of a block`, endingBefore(left)] as const,
  ).map(([name, writes]): [string, Write[]] => [name, writes]),
  ['a value over several blocks', [[[ascii('k'), randomBytes(new Prng(1), 200_000)]], [[ascii('l'), ascii('1')]]]],
  ['random writes', randomWrites(new Prng(2), 1500, 3000)],
  ['random writes with large values', randomWrites(new Prng(3), 300, 60_000)],
  ['small blocks', randomWrites(new Prng(4), 600, 300), { blockBytes: 1024, restartInterval: 1 }],
  ['large blocks', randomWrites(new Prng(5), 600, 300), { blockBytes: 65536, restartInterval: 64 }],
  ['snappy, a few small writes', small, { compression: 'snappy' }],
  ['snappy, random writes', randomWrites(new Prng(6), 1500, 3000), { compression: 'snappy' }],
  ['snappy, prose', proseWrites(new Prng(7), 1500, 300), { compression: 'snappy' }],
  ['snappy, prose over several fragments', proseWrites(new Prng(8), 20, 200_000), { compression: 'snappy' }],
  [
    'snappy, prose in small blocks',
    proseWrites(new Prng(9), 600, 100),
    { compression: 'snappy', blockBytes: 1024, restartInterval: 1 },
  ],
]

for (const [name, writes, options] of CASES) {
  test(`log and table are LevelDB's: ${name}`, async () => {
    const level = await levelFiles(writes, options)
    const varve = await varveFiles(writes, false, options)
    assertSameBytes(varve.log, level.log, 'log')
    assertSameBytes(varve.table, level.table, 'table')
    const marked = await varveFiles(writes, true, options)
    assert.notDeepEqual(marked.log, level.log)
    assert.deepEqual(records(marked.log), records(level.log), 'a log with markers')
    assertSameBytes(marked.table, level.table, 'table of a log with markers')
  })
}

test('synced writes put markers into the log, and room behind it, and change nothing else', async () => {
  const level = await levelFiles(small)
  await withDirectory(async (directory) => {
    const varve = await openVarve(directory, { durability: 'disk' })
    for (const write of small) await varve.write(write)
    const file = onlyFile(directory, '.log')
    const log = file.subarray(0, file.findLastIndex((byte) => byte !== 0) + 1)
    assert.equal(file.length, ROOM_BYTES)
    // One at the file's beginning, and one before each write that follows a sync.
    assert.equal(log.length - level.log.length, small.length * (7 + HEADER_BYTES))
    assert.deepEqual(records(log), records(level.log))
    await varve.close()
  })
})

const GOLDEN: readonly string[] = ['small', 'shared-prefixes', 'binary-keys', 'versions', 'large-values', 'snappy']

for (const name of GOLDEN) {
  test(`log and table are those of the golden database ${name}`, async () => {
    const recipe = JSON.parse(readFileSync(testdata('golden', name, 'operations.json'), 'utf8'))
    const hex = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'hex'))
    const writes: Write[] = recipe.writes.map((operations: string[][]) =>
      operations.map(([type, key, value]) => (type === 'put' ? [hex(key), hex(value)] : [hex(key)])),
    )
    const { blockBytes, restartInterval, compression } = recipe
    const varve = await varveFiles(writes, false, { blockBytes, restartInterval, compression: compression ?? 'none' })
    assertSameBytes(varve.log, readFileSync(testdata('golden', name, '000003.log')), 'log')
    assertSameBytes(varve.table, readFileSync(testdata('golden', name, '000005.ldb')), 'table')
  })
}
