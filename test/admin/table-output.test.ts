import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminContext } from '../../src/admin/admin-context.ts'
import { TableOutput } from '../../src/admin/table-output.ts'
import { tagHigh, tagLow } from '../../src/base/internal-key.ts'
import { fileNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { userRange } from '../../src/version/file-metadata.ts'

function lowerCase(key: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(key).toString('latin1').toLowerCase())
}

test('a table ends between two keys, and not between two forms of one', () => {
  const environment = new MemoryEnvironment()
  environment.files.makeDirectory('/db')
  const comparator = {
    name: 'test.Letters',
    compare: (a: Uint8Array, b: Uint8Array) => Buffer.compare(lowerCase(a), lowerCase(b)),
  }
  const context = adminContext('repair', '/db', { environment, comparator }, [], { compression: 'none' })
  let number = 1
  const output = new TableOutput(context, 6, () => fileNumber(number++))
  const add = (key: string, sequence: number, value: Uint8Array): void => {
    const bytes = Buffer.from(key)
    const [low, high] = [tagLow(sequence, ValueType.VALUE), tagHigh(sequence)]
    output.add(bytes, 0, bytes.length, low, high, value, 0, value.length)
  }
  const large = new Uint8Array(32 * 1024 * 1024)
  add('a', 2, large)
  add('A', 1, large.subarray(0, 1))
  add('b', 3, large.subarray(0, 1))
  const ranges = output.finish().map(userRange)
  assert.deepEqual(
    ranges.map(({ smallest, largest }) => [String(Buffer.from(smallest)), String(Buffer.from(largest))]),
    [
      ['a', 'A'],
      ['b', 'b'],
    ],
  )
})
