import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyCopy } from '../../src/base/key-copy.ts'

test('a copied key stays as it was, whatever becomes of its memory, and is empty before the first one', () => {
  const copy = new KeyCopy()
  assert.equal(copy.length, 0)
  for (const length of [3, 100, 64, 5000, 0]) {
    const memory = Uint8Array.from({ length: length + 2 }, (_, i) => i)
    const key = memory.slice(1, 1 + length)
    copy.take(memory, 1, length)
    memory.fill(0)
    assert.deepEqual(copy.bytes.slice(0, copy.length), key)
  }
})
