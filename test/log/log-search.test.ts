/**
 * What a reader says of fragments that look right and are not where the format allows them, how often it asks the file, and
 * which record `findRecordAfter` finds, by a model that looks at one place after another.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getFixed32, putFixed32 } from '../../src/base/coding.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { Prng } from '../../src/base/prng.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { MemoryFile, MemoryWritableFile } from '../support/memory-file.ts'

const BLOCK = 32768
const HEADER = 7
const FULL = 1

/** Header and payload of one fragment; its checksum is that of `length` bytes, of which those that are missing are zeros. */
function fragment(type: number, payload: readonly number[], length: number = payload.length): number[] {
  const bytes = new Uint8Array(HEADER + length)
  bytes.set([length & 255, length >> 8, type, ...payload], 4)
  putFixed32(bytes, 0, maskCrc(crc32c(bytes, 6, length + 1)))
  return [...bytes.subarray(0, HEADER + payload.length)]
}

/** A log whose first record leaves `left` bytes in its block, and what follows there. */
function leaving(left: number, ...following: number[]): Uint8Array<ArrayBuffer> {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  writer.add(new Uint8Array(BLOCK - HEADER - left), 0, BLOCK - HEADER - left)
  writer.flush()
  return Uint8Array.from([...file.contents(), ...following])
}

/** The type that a sound fragment of the log has at a place, and its length; undefined if there is none. */
function soundAt(log: Uint8Array, at: number): { type: number; length: number } | undefined {
  if (at + HEADER > log.length) return undefined
  const length = log[at + 4] + 256 * log[at + 5]
  const end = at + HEADER + length
  if (end > log.length || end > (Math.floor(at / BLOCK) + 1) * BLOCK) return undefined
  return getFixed32(log, at) === maskCrc(crc32c(log, at + 6, length + 1)) ? { type: log[at + 6], length } : undefined
}

/** What `findRecordAfter` says of itself, done slowly. */
function modelFind(log: Uint8Array, from: number, accept: (length: number) => boolean): number {
  let everyByte = true
  for (let at = from; at < log.length; ) {
    const blockEnd = (Math.floor(at / BLOCK) + 1) * BLOCK
    if (at % BLOCK === 0) everyByte = false
    if (at + HEADER > blockEnd) {
      at = blockEnd
      continue
    }
    const found = soundAt(log, at)
    if (found !== undefined && found.type === FULL && accept(found.length)) return at
    if (found === undefined) everyByte = true
    at += found === undefined || everyByte ? 1 : HEADER + found.length
  }
  return -1
}

/** Records of some bytes up to the end of a block and behind it; some hold records, some are damaged. */
function drawnLog(prng: Prng): Uint8Array<ArrayBuffer> {
  const tail: number[] = []
  const drawn = (): number[] => Array.from({ length: prng.below(12) }, () => prng.below(4))
  const left = prng.below(60)
  for (let count = 1 + prng.below(8); count > 0; count--) {
    // What passes the end of a block is no fragment, and what is in the way of one is damage.
    const inner = prng.below(2) === 0 ? drawn() : [...drawn(), ...fragment(FULL, drawn()), ...drawn()]
    tail.push(...fragment(prng.below(8) === 0 ? prng.below(6) : FULL, inner))
  }
  const log = leaving(left, ...tail)
  const begin = BLOCK - left
  for (let flips = prng.below(3); flips > 0; flips--) log[begin + prng.below(log.length - begin)] ^= 1 << prng.below(8)
  return log.slice(0, log.length - (prng.below(4) === 0 ? prng.below(10) : 0))
}

test('the record that is found is the one that a search of one place after another finds', () => {
  const prng = new Prng(1)
  for (let round = 0; round < 100; round++) {
    const log = drawnLog(prng)
    const reader = new LogReader(new MemoryFile(log))
    const wanted = prng.below(14)
    const accept = (length: number): boolean => length === wanted
    for (let from = Math.max(0, log.length - 120); from <= log.length; from += 1 + prng.below(6)) {
      const found = reader.findRecordAfter(from, (_bytes, _offset, length) => accept(length))
      assert.equal(found, modelFind(log, from, accept), `log ${round}, from ${from}, ${wanted} bytes`)
    }
  }
})

const find = (log: Uint8Array, from: number, wanted: number): number =>
  new LogReader(new MemoryFile(log)).findRecordAfter(from, (_bytes, _offset, length) => length === wanted)

test('an empty record that ends the file is found', () => {
  assert.equal(find(Uint8Array.from(fragment(FULL, [])), 0, 0), 0)
})

test('what passes the end of its block is no record, though its checksum is right', () => {
  for (let left = HEADER; left < 24; left += 5) {
    for (const excess of [1, 7, 14, 300]) {
      const length = left - HEADER + excess
      const log = leaving(left, ...fragment(FULL, new Array(length).fill(9)))
      assert.equal(find(log, BLOCK - left, length), -1, `${left} bytes left, ${length} bytes`)
      const reader = new LogReader(new MemoryFile(log))
      assert.ok(reader.next())
      assert.equal(reader.next(), false)
      assert.deepEqual(reader.fault, {
        offset: BLOCK - left,
        reason: 'record length passes the end of its block',
        kind: 'bad',
      })
    }
    const whole = leaving(left, ...fragment(FULL, new Array(left - HEADER).fill(9)))
    assert.equal(find(whole, BLOCK - left, left - HEADER), BLOCK - left)
  }
})

test('what passes the end of the file is no record, though its checksum is right with zeros for what is missing', () => {
  for (let missing = 1; missing <= 20; missing++) {
    const log = Uint8Array.from([...fragment(FULL, [1, 2]), ...fragment(FULL, [5], 1 + missing)])
    assert.equal(find(log, 9, 1 + missing), -1, `${missing} bytes missing`)
    const reader = new LogReader(new MemoryFile(log))
    assert.ok(reader.next())
    assert.equal(reader.next(), false)
    assert.deepEqual(reader.fault, { offset: 9, reason: 'file ends inside a record', kind: 'cut-off' })
  }
})

test('what a search has found bad is searched at every byte to the end of its block, and no further', () => {
  const nested = fragment(FULL, [0, ...fragment(FULL, [1, 2, 3])])
  const bad = fragment(FULL, [1])
  bad[7] ^= 1
  // In a block that begins with a sound record, a record within a value is none.
  assert.equal(find(leaving(0, ...nested), BLOCK, 3), -1)
  assert.equal(find(leaving(0, ...bad, ...nested), BLOCK, 3), BLOCK + 8 + 8)
  // From the middle of a block on, nobody knows where a record begins.
  assert.equal(find(leaving(0, ...fragment(FULL, []), ...nested), BLOCK + 7, 3), BLOCK + 7 + 8)
  assert.equal(find(leaving(20, ...bad, ...new Array(12).fill(0), ...nested), BLOCK - 20, 3), -1)
})

test('a log is read in windows of 16 blocks, each once', () => {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  for (let i = 0; i < 400; i++) writer.add(new Uint8Array(5000), 0, 5000)
  writer.flush()
  const log = new MemoryFile(file.contents())
  const reader = new LogReader(log)
  let count = 0
  while (reader.next()) count++
  assert.deepEqual([count, log.readCount], [400, Math.ceil(log.bytes / (16 * BLOCK))])
})
