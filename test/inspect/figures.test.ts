/**
 * Figures for people.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showBytesCount, showCount, showPlural } from '../../src/inspect/figures.ts'

test('counts have a separator at every third digit', () => {
  const shown = [0, 12, 123, 1234, 123456, 1234567, 9007199254740991].map(showCount)
  assert.deepEqual(shown, ['0', '12', '123', '1,234', '123,456', '1,234,567', '9,007,199,254,740,991'])
})

test('bytes are shown in the unit in which they have one to four digits', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [1024 * 1024 - 1, '1.0 MiB'],
    [4 * 1024 * 1024, '4.0 MiB'],
    [1024 ** 4 * 2.5, '2.5 TiB'],
  ]
  for (const [bytes, expected] of cases) assert.equal(showBytesCount(bytes), expected)
})

test('a noun is in the plural unless there is exactly one', () => {
  assert.deepEqual(
    [0, 1, 2000].map((count) => showPlural(count, 'entry', 'entries')),
    ['0 entries', '1 entry', '2,000 entries'],
  )
  assert.equal(showPlural(2, 'byte'), '2 bytes')
})
