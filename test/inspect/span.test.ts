/**
 * Terminal lines made of spans.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columnsOf, fit, padEnd, padStart, paint, shorten, shortenStart, span } from '../../src/inspect/span.ts'

test('the width of a text counts columns, not characters', () => {
  const widths = ['', 'abc', 'é', 'e\u0301', '東京', '서울', '🏔', 'Старо'].map(columnsOf)
  assert.deepEqual(widths, [0, 3, 1, 1, 4, 4, 1, 5])
})

test('a text that is too wide loses its end, or its start, to an ellipsis', () => {
  assert.equal(shorten('Liechtenstein', 13), 'Liechtenstein')
  assert.equal(shorten('Liechtenstein', 6), 'Liech…')
  assert.equal(shorten('東京都', 4), '東…')
  assert.equal(shorten('東京都', 1), '…')
  assert.equal(shorten('x', 0), '')
  assert.equal(shortenStart('/a/long/path', 6), '…/path')
  assert.equal(shortenStart('/a', 6), '/a')
})

test('padding aligns by columns', () => {
  assert.equal(padEnd('東', 4), '東  ')
  assert.equal(padStart('12', 4), '  12')
  assert.equal(padStart('12345', 4), '12345')
})

test('fit makes a line exactly as wide as asked for', () => {
  const spans = [span('abc'), span('def', 'bold')]
  for (const width of [0, 1, 2, 3, 4, 5, 6, 10]) {
    assert.equal(columnsOf(paint(fit(spans, width), false)), width)
  }
  assert.equal(paint(fit(spans, 5), false), 'abcd…')
})

test('colour adds escape sequences and nothing else', () => {
  const painted = paint([span('a'), span('b', 'red'), span('', 'red')], true)
  assert.equal(painted, 'a\u001b[31mb\u001b[39m')
})
