/** Values that share memory: each is what was copied, also after something has failed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CopyPool } from '../../src/base/copy-pool.ts'

function filled(length: number, byte: number): Uint8Array {
  return new Uint8Array(length).fill(byte)
}

test('copies are right after new memory for them could not be had', () => {
  let isFailing = false
  const pool = new CopyPool(() => {
    // As where the stack ends: any call may throw.
    if (isFailing) throw new RangeError('the stack ends')
    return true
  })
  const first = pool.copy(filled(1000, 1), 0, 1000)
  for (let i = 0; i < 7; i++) pool.copy(filled(1000, 2), 0, 1000)
  isFailing = true
  assert.throws(() => pool.copy(filled(1000, 3), 0, 1000), RangeError)
  isFailing = false
  // As much as the memory before has left, and more.
  assert.deepEqual(pool.copy(filled(100, 4), 0, 100), filled(100, 4))
  assert.deepEqual(pool.copy(filled(1000, 5), 0, 1000), filled(1000, 5))
  assert.deepEqual(first, filled(1000, 1))
})
