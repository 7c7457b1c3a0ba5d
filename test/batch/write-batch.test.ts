/**
 * Tests of WriteBatch and its bytes: LevelDB's format, the limits, reuse, and that no bytes make a reader of batches do
 * anything but refuse them in words.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { MAX_KEY_BYTES } from '../../src/base/limits.ts'
import { Prng } from '../../src/base/prng.ts'
import { MAX_SEQUENCE } from '../../src/base/types.ts'
import * as Batch from '../../src/batch/batch-format.ts'
import { RangeOps } from '../../src/batch/range-ops.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { testdata } from '../support/paths.ts'

/** The ops of a batch in words; throws what is wrong with it. */
function list(bytes: Uint8Array, offset: number = 0, length: number = bytes.length - offset): string[] {
  const ops: string[] = []
  const fault = Batch.forEachOp(bytes, offset, length, {
    add(sequence, type, key, keyOff, keyLen, value, valOff, valLen) {
      const name = Buffer.from(key.subarray(keyOff, keyOff + keyLen)).toString('latin1')
      const text = Buffer.from(value.subarray(valOff, valOff + valLen)).toString('latin1')
      const shown = { 0: `delete ${name}`, 1: `put ${name}=${text}`, 15: `delete ${name} to ${text}` }[type]
      ops.push(`${sequence} ${shown}`)
    },
  })
  if (fault !== undefined) throw new Error(fault)
  return ops
}

test('a batch is encoded as LevelDB encodes it', () => {
  const batch = new WriteBatch()
    .put('foo', 'bar')
    .delete('box')
    .put('', new Uint8Array([255]))
  assert.equal(toHex(batch.encoded()), '00000000000000000300000001' + '03666f6f03626172' + '0003626f78' + '010001ff')
  assert.deepEqual([batch.count, batch.byteLength], [3, 30])
  assert.deepEqual(list(batch.encoded()), ['0 put foo=bar', '1 delete box', '2 put =\xff'])
})

test('a range delete is an op of its own type, with the start and the end', () => {
  const batch = new WriteBatch().put('a', '').deleteRange('a', 'foo').deleteRange('b', 'a')
  assert.equal(toHex(batch.encoded()).slice(24), '01016100' + '0f016103666f6f' + '0f01620161')
  assert.deepEqual([batch.count, batch.rangeCount, batch.byteLength], [3, 2, 28])
  assert.deepEqual(list(batch.encoded()), ['0 put a=', '1 delete a to foo', '2 delete b to a'])
  assert.deepEqual([batch.clear().rangeCount, batch.byteLength], [0, 12])
})

test('a range that starts where it ends adds nothing', () => {
  const batch = new WriteBatch().deleteRange('', '').deleteRange('k', new Uint8Array([107]))
  assert.deepEqual([batch.count, batch.rangeCount, batch.byteLength], [0, 0, 12])
})

test('the ranges of a batch are counted, and one that does not start before its end is found', () => {
  const ranges = new RangeOps(bytewiseComparator)
  const read = (batch: WriteBatch): [number, boolean] => {
    const encoded = batch.encoded()
    const { count, fault } = ranges.read(encoded, 0, encoded.length)
    return [count, fault === undefined]
  }
  assert.deepEqual(read(new WriteBatch().put('b', 'a').delete('x')), [0, true])
  assert.deepEqual(read(new WriteBatch().deleteRange('b', 'a').deleteRange('a', 'b')), [2, false])
  assert.deepEqual(read(new WriteBatch().deleteRange('', 'a').put('b', 'a').deleteRange('a', 'aa')), [2, true])
  const same = new Uint8Array([...new WriteBatch().deleteRange('a', 'b').encoded()])
  same[same.length - 1] = 97
  assert.match(ranges.read(same, 0, same.length).fault ?? '', /does not start before its end/)
})

test('an empty batch is its header', () => {
  assert.equal(toHex(new WriteBatch().encoded()), '000000000000000000000000')
})

test('a batch that was cleared is empty, and can be filled again', () => {
  const batch = new WriteBatch().put('a', 'x'.repeat(10_000)).clear()
  assert.deepEqual([batch.count, batch.byteLength], [0, 12])
  assert.deepEqual(list(batch.delete('b').encoded()), ['0 delete b'])
})

test('what was put is copied: the caller may change its buffers', () => {
  const key = new Uint8Array([97])
  const value = new Uint8Array([98])
  const batch = new WriteBatch().put(key, value)
  key[0] = 0
  value[0] = 0
  assert.deepEqual(list(batch.encoded()), ['0 put a=b'])
})

test('batches of any ops are read as they were written', () => {
  const seed = 7
  const prng = new Prng(seed)
  for (let round = 0; round < 200; round++) {
    const batch = new WriteBatch()
    const expected: string[] = []
    for (let i = prng.below(40); i > 0; i--) {
      const key = 'k'.repeat([0, 1, 127, 128, 300][prng.below(5)])
      const value = 'v'.repeat([0, 1, 127, 128, 20_000][prng.below(5)])
      const kind = ['put', 'put', 'delete', 'range'][prng.below(4)]
      if (kind === 'put') batch.put(key, value)
      else if (kind === 'delete') batch.delete(key)
      else batch.deleteRange(key, value)
      const rest = { put: `put ${key}=${value}`, delete: `delete ${key}`, range: `delete ${key} to ${value}` }[kind]
      if (kind !== 'range' || key !== value) expected.push(`${expected.length} ${rest}`)
    }
    assert.deepEqual(list(batch.encoded()), expected, `seed ${seed}, round ${round}`)
  }
})

function detached(): Uint8Array {
  const bytes = new Uint8Array(3)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

const refused: [what: string, key: unknown, value: unknown][] = [
  ['a key that is a number', 1, 'v'],
  ['a key that is null', null, 'v'],
  ['no key', undefined, 'v'],
  ['no value', 'k', undefined],
  ['a value that is an array', 'k', [1, 2]],
  ['a value that is another typed array', 'k', new Uint16Array(2)],
  ['a value that is an ArrayBuffer', 'k', new ArrayBuffer(2)],
  ['a detached key', detached(), 'v'],
  ['a detached value', 'k', detached()],
  ['a lone surrogate', 'k', '\ud800'],
  ['a lone surrogate far into a key', 'k'.repeat(100) + '\udc00', 'v'],
  ['a key that is too long', new Uint8Array(MAX_KEY_BYTES + 1), 'v'],
]
for (const [what, key] of refused) {
  if (key !== 'k') {
    test(`deleteRange refuses ${what} on either side, and leaves the batch as it was`, () => {
      const batch = new WriteBatch().put('a', 'b')
      assert.throws(() => batch.deleteRange(key as string, 'z'), InvalidArgumentError)
      assert.throws(() => batch.deleteRange('', key as string), InvalidArgumentError)
      assert.deepEqual(list(batch.encoded()), ['0 put a=b'])
    })
  }
}

for (const [what, key, value] of refused) {
  test(`put refuses ${what}, and leaves the batch as it was`, () => {
    const batch = new WriteBatch().put('a', 'b')
    assert.throws(
      () => batch.put(key as string, value as string),
      (error: Error) => error instanceof InvalidArgumentError && error.outcome === 'not-written',
    )
    assert.deepEqual(list(batch.encoded()), ['0 put a=b'])
  })
}

test('the longest key is taken', () => {
  assert.equal(new WriteBatch().delete(new Uint8Array(MAX_KEY_BYTES)).count, 1)
})

const faults: [what: string, hex: string, fault: RegExp][] = [
  ['no bytes', '', /shorter than its header/],
  ['11 bytes', '00'.repeat(11), /shorter than its header/],
  ['a count without ops', '0100000000000000' + '01000000', /cut short/],
  ['an op without a key', '0100000000000000' + '01000000' + '00', /cut short/],
  ['a key longer than the batch', '0100000000000000' + '01000000' + '000561', /cut short/],
  ['a key of 2^32 - 1 bytes', '0100000000000000' + '01000000' + '00ffffffff0f61', /cut short/],
  ['a put without a value', '0100000000000000' + '01000000' + '010161', /cut short/],
  ['a value longer than the batch', '0100000000000000' + '01000000' + '010161026f', /cut short/],
  ['a range without an end', '0100000000000000' + '01000000' + '0f0161', /cut short/],
  ['a range whose end is longer than the batch', '0100000000000000' + '01000000' + '0f0161ffffffff0f62', /cut short/],
  ['an unknown type', '0100000000000000' + '01000000' + '020161', /unknown type 2/],
  ['bytes after the last op', '0100000000000000' + '01000000' + '00016100', /after its last op/],
  ['bytes after no op', '0100000000000000' + '00000000' + '00', /after its last op/],
  ['a count of 2^32 - 1', '0100000000000000' + 'ffffffff' + '000161', /cut short/],
  ['a sequence of 2^53', '0000000000002000' + '01000000' + '000161', /out of range/],
  ['a sequence that passes 2^53 - 1', 'ffffffffffff1f00' + '01000000' + '000161', /out of range/],
]
for (const [what, hex, fault] of faults) {
  test(`a batch with ${what} is refused`, () => {
    // With bytes around it that would make it good if they were read.
    const bytes = new Uint8Array([...Buffer.from('aa' + hex, 'hex'), 1, 1, 1, 1, 1, 1, 1, 1])
    assert.match(Batch.batchFault(bytes, 1, hex.length / 2) ?? 'accepted', fault)
  })
}

test('a batch may end at the last sequence number but one', () => {
  const bytes = new WriteBatch().put('a', '1').encoded()
  Batch.writeHeader(bytes, 0, MAX_SEQUENCE - 1, 1)
  assert.equal(Batch.batchFault(bytes, 0, bytes.length), undefined)
})

test('every truncation of a batch is refused', () => {
  const bytes = new WriteBatch().put('alpha', 'beta').delete('gamma').deleteRange('a', 'b').put('', '').encoded()
  for (let length = 0; length < bytes.length; length++) {
    assert.notEqual(Batch.batchFault(bytes, 0, length), undefined, `${length} bytes`)
  }
})

for (const name of readdirSync(testdata('golden')).sort()) {
  test(`the batches of LevelDB's log of ${name} are the operations that were written`, () => {
    const recipe = JSON.parse(readFileSync(testdata('golden', name, 'operations.json'), 'utf8'))
    const reader = new LogReader(new MemoryFile(new Uint8Array(readFileSync(testdata('golden', name, '000003.log')))))
    let sequence = 1
    for (const operations of recipe.writes as string[][][]) {
      assert.ok(reader.next())
      const text = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1')
      const expected = operations.map(([type, key, value], i) =>
        type === 'put' ? `${sequence + i} put ${text(key)}=${text(value)}` : `${sequence + i} delete ${text(key)}`,
      )
      assert.deepEqual(list(reader.recordBuf, reader.recordOff, reader.recordLen), expected)
      sequence += operations.length
    }
    assert.equal(reader.next(), false)
    assert.equal(reader.fault, undefined)
  })
}

test('an op takes as many bytes as its length says beforehand, around every length of a varint', () => {
  const bytes = new Uint8Array(40_000)
  const lengths = [0, 1, 127, 128, 16383, 16384]
  for (const keyLen of lengths) {
    const key = new Uint8Array(keyLen)
    assert.equal(Batch.writeDelete(bytes, 5, key) - 5, Batch.deleteBytes(keyLen))
    for (const valLen of lengths) {
      const value = new Uint8Array(valLen)
      assert.equal(Batch.writePut(bytes, 3, key, value) - 3, Batch.putBytes(keyLen, valLen))
      assert.equal(Batch.writeDeleteRange(bytes, 3, key, value) - 3, Batch.deleteRangeBytes(keyLen, valLen))
    }
  }
})
