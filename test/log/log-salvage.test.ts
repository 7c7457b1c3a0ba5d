/**
 * What repair gets out of a damaged log: every record whose fragments are all there and sound, in order, and where what is left
 * out lies.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putFixed32 } from '../../src/base/coding.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { LogSalvage } from '../../src/log/log-salvage.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { MemoryFile, MemoryWritableFile } from '../support/memory-file.ts'

const BLOCK = 32768

/** Records of these lengths, the first filled with 1, the second with 2. */
function logOf(lengths: readonly number[]): Uint8Array<ArrayBuffer> {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  for (const [i, length] of lengths.entries()) writer.add(new Uint8Array(length).fill(i + 1), 0, length)
  writer.flush()
  return file.contents()
}

/** Header and payload of one fragment, with the right checksum. */
function fragment(type: number, payload: readonly number[]): number[] {
  const bytes = new Uint8Array(7 + payload.length)
  bytes.set([payload.length & 255, payload.length >> 8, type, ...payload], 4)
  putFixed32(bytes, 0, maskCrc(crc32c(bytes, 6, payload.length + 1)))
  return [...bytes]
}

interface Salvaged {
  /** `START: LENGTH of BYTE`. */
  readonly records: string[]
  /** `OFFSET+BYTES REASON`. */
  readonly gaps: string[]
}

function salvage(log: Uint8Array): Salvaged {
  const reader = new LogSalvage(new MemoryFile(log))
  const records: string[] = []
  while (reader.next()) {
    const { record, recordStart } = reader
    assert.ok(record.every((byte) => byte === record[0]))
    records.push(`${recordStart}: ${record.length} of ${record[0]}`)
  }
  return { records, gaps: reader.gaps.map(({ offset, bytes, reason }) => `${offset}+${bytes} ${reason}`) }
}

function flipped(log: Uint8Array<ArrayBuffer>, ...offsets: number[]): Uint8Array<ArrayBuffer> {
  const damaged = log.slice()
  for (const offset of offsets) damaged[offset] ^= 0xff
  return damaged
}

/** Records at 0 (17 bytes), 17 (37 bytes) and 54 (12 bytes). */
const SMALL = logOf([10, 30, 5])
/** A record over three blocks, from 17 on, and one after it. */
const LONG = logOf([10, 70_000, 5])
const LONG_END = LONG.length - 12

const CASES: readonly (Salvaged & { readonly name: string; readonly log: Uint8Array })[] = [
  { name: 'an empty log', log: logOf([]), records: [], gaps: [] },
  { name: 'a sound log', log: SMALL, records: ['0: 10 of 1', '17: 30 of 2', '54: 5 of 3'], gaps: [] },
  {
    name: 'a record of several fragments',
    log: LONG,
    records: ['0: 10 of 1', '17: 70000 of 2', `${LONG_END}: 5 of 3`],
    gaps: [],
  },
  {
    name: 'a damaged value, and a sound record where its header says that it ends',
    log: flipped(SMALL, 30),
    records: ['0: 10 of 1', '54: 5 of 3'],
    gaps: ['17+37 checksum mismatch'],
  },
  {
    name: 'two damaged values, one after the other: nothing says where the next record begins',
    log: flipped(SMALL, 10, 30),
    records: [],
    gaps: ['0+66 checksum mismatch'],
  },
  {
    name: 'the last record damaged',
    log: flipped(SMALL, 62),
    records: ['0: 10 of 1', '17: 30 of 2'],
    gaps: ['54+12 checksum mismatch'],
  },
  {
    name: 'the end of the file inside a payload',
    log: SMALL.slice(0, 65),
    records: ['0: 10 of 1', '17: 30 of 2'],
    gaps: ['54+11 record passes the end of its block'],
  },
  {
    name: 'the end of the file inside a header',
    log: SMALL.slice(0, 60),
    records: ['0: 10 of 1', '17: 30 of 2'],
    gaps: ['54+6 file ends inside a header'],
  },
  {
    name: 'the end of the file after a header',
    log: SMALL.slice(0, 61),
    records: ['0: 10 of 1', '17: 30 of 2'],
    gaps: ['54+7 record passes the end of its block'],
  },
  {
    name: 'zeros that nothing was written to',
    log: Uint8Array.from([...SMALL, ...new Uint8Array(40)]),
    records: ['0: 10 of 1', '17: 30 of 2', '54: 5 of 3'],
    gaps: ['66+40 region was never written'],
  },
  {
    name: 'zeros with a length are no region that was never written',
    log: Uint8Array.from([0, 0, 0, 0, 2, 0, 0, 1, 1]),
    records: [],
    gaps: ['0+9 checksum mismatch'],
  },
  {
    name: 'types that no log has, with the right checksum',
    log: Uint8Array.from([...fragment(5, [1]), ...fragment(1, [2]), ...fragment(0, [3]), ...fragment(1, [4])]),
    records: ['8: 1 of 2', '24: 1 of 4'],
    gaps: ['0+8 record has the unknown type 5', '16+8 record has the unknown type 0'],
  },
  {
    name: 'after a damaged fragment, one of an unknown type is not gone on to',
    log: Uint8Array.from([...flipped(Uint8Array.from(fragment(1, [1])), 7), ...fragment(5, [2]), ...fragment(1, [3])]),
    records: [],
    gaps: ['0+24 checksum mismatch'],
  },
  {
    name: 'after a damaged fragment, one of type zero is not gone on to',
    log: Uint8Array.from([...flipped(Uint8Array.from(fragment(1, [1])), 7), ...fragment(0, [2]), ...fragment(1, [3])]),
    records: [],
    gaps: ['0+24 checksum mismatch'],
  },
  {
    name: 'a damaged value, and a record of several hundred bytes where its header says that it ends',
    log: flipped(logOf([10, 600, 20]), 10),
    records: ['17: 600 of 2', '624: 20 of 3'],
    gaps: ['0+17 checksum mismatch'],
  },
  {
    name: 'a damaged value, and an empty record behind it that ends the file',
    log: Uint8Array.from([...flipped(Uint8Array.from(fragment(1, [1])), 7), ...fragment(1, [])]),
    records: ['8: 0 of undefined'],
    gaps: ['0+8 checksum mismatch'],
  },
  {
    name: 'a damaged value, and the beginning and the end of a record behind it',
    log: Uint8Array.from([...flipped(Uint8Array.from(fragment(1, [1])), 7), ...fragment(2, [3]), ...fragment(4, [3])]),
    records: ['8: 2 of 3'],
    gaps: ['0+8 checksum mismatch'],
  },
  {
    name: 'a damaged value, and the end of a record behind it, which has no beginning',
    log: Uint8Array.from([...flipped(Uint8Array.from(fragment(1, [1])), 7), ...fragment(4, [3]), ...fragment(1, [4])]),
    records: ['16: 1 of 4'],
    gaps: ['0+16 checksum mismatch'],
  },
  {
    name: 'a middle and an end without a beginning',
    log: Uint8Array.from([...fragment(3, [1]), ...fragment(4, [1]), ...fragment(1, [2])]),
    records: ['16: 1 of 2'],
    gaps: ['0+16 record has no beginning'],
  },
  {
    name: 'a beginning without an end, before a record',
    log: Uint8Array.from([...fragment(2, [1]), ...fragment(3, [1]), ...fragment(1, [2])]),
    records: ['16: 1 of 2'],
    gaps: ['0+16 record has no end'],
  },
  {
    name: 'a beginning without an end, before another beginning',
    log: Uint8Array.from([...fragment(2, [1]), ...fragment(2, [2]), ...fragment(4, [2])]),
    records: ['8: 2 of 2'],
    gaps: ['0+8 record has no end'],
  },
  {
    name: 'a beginning at the end of the file',
    log: Uint8Array.from([...fragment(1, [1]), ...fragment(2, [2])]),
    records: ['0: 1 of 1'],
    gaps: ['8+8 record has no end'],
  },
  {
    name: 'an empty record',
    log: Uint8Array.from([...fragment(1, []), ...fragment(1, [2])]),
    records: ['0: 0 of undefined', '7: 1 of 2'],
    gaps: [],
  },
  {
    name: 'the first fragment of a long record damaged: its other fragments belong to nothing',
    log: flipped(LONG, 100),
    records: ['0: 10 of 1', `${LONG_END}: 5 of 3`],
    gaps: [`17+${LONG_END - 17} checksum mismatch`],
  },
  {
    name: 'the middle of a long record damaged: the gap begins where the record does',
    log: flipped(LONG, BLOCK + 100),
    records: ['0: 10 of 1', `${LONG_END}: 5 of 3`],
    gaps: [`17+${LONG_END - 17} checksum mismatch`],
  },
  {
    name: 'the end of a long record damaged: what follows it is found',
    log: flipped(LONG, LONG_END - 1),
    records: ['0: 10 of 1', `${LONG_END}: 5 of 3`],
    gaps: [`17+${LONG_END - 17} checksum mismatch`],
  },
  {
    name: 'a long record cut off in its middle',
    log: LONG.slice(0, 2 * BLOCK),
    records: ['0: 10 of 1'],
    gaps: [`17+${2 * BLOCK - 17} record has no end`],
  },
  {
    name: 'a damaged length that passes the end of its block: the next block is gone on with',
    log: flipped(logOf([10, BLOCK - 24, 40]), 4, 5),
    records: [`${BLOCK}: 40 of 3`],
    gaps: [`0+${BLOCK} record passes the end of its block`],
  },
]

for (const { name, log, records, gaps } of CASES) {
  test(`salvaging ${name}`, () => assert.deepEqual(salvage(log), { records, gaps }))
}

test('a block that ends with room for no header is passed over, for every number of bytes left', () => {
  for (let left = 0; left <= 9; left++) {
    const first = BLOCK - 7 - left
    const { records, gaps } = salvage(logOf([first, 20]))
    // With seven bytes left, the second record begins with an empty fragment there.
    const second = left < 7 ? BLOCK : BLOCK - left
    assert.deepEqual(records, [`0: ${first} of 1`, `${second}: 20 of 2`], `${left} bytes left`)
    assert.deepEqual(gaps, [])
  }
})

test('every record whose bytes are all sound is salvaged or lies in a gap that begins with damage', () => {
  const whole = salvage(SMALL).records
  for (let offset = 0; offset < SMALL.length; offset++) {
    const { records, gaps } = salvage(flipped(SMALL, offset))
    assert.equal(gaps.length, 1, `byte ${offset}`)
    const index = offset < 17 ? 0 : offset < 54 ? 1 : 2
    assert.deepEqual(records.slice(0, index), whole.slice(0, index), `byte ${offset}`)
    assert.ok(
      records.every((record) => whole.includes(record)) && !records.includes(whole[index]),
      `byte ${offset}: ${records}`,
    )
    assert.equal(Number.parseInt(gaps[0], 10), [0, 17, 54][index], `byte ${offset}`)
  }
})

test('a salvage that has read nothing has an empty record at the beginning; it reads each block once', () => {
  const file = new MemoryFile(logOf([10, 40_000, 20_000, 20_000, 5]))
  const reader = new LogSalvage(file)
  assert.deepEqual([reader.record.length, reader.recordStart, reader.gaps], [0, 0, []])
  while (reader.next());
  assert.equal(file.readCount, Math.ceil(file.bytes / BLOCK))
})
