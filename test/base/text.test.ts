/**
 * Callers' arguments as bytes, where how often the code has run makes a difference.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { toBytes } from '../../src/base/text.ts'

const CALLS = 100_000
const LOST_EVERY = 100

function detached(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

/** Not yet in the es2023 library. */
const resizable: ArrayBuffer = Reflect.construct(ArrayBuffer, [0, { maxByteLength: 8 }])

// In Node 20, code that was compiled after it had seen a view of a resizable buffer reads the length that a detached view had.
for (const length of [5, 500]) {
  test(`a detached view of ${length} bytes is refused, also once the code has been compiled`, () => {
    let taken = 0
    for (let call = 1; call <= CALLS; call++) {
      const isLost = call % LOST_EVERY === 0
      try {
        toBytes(isLost ? detached(length) : new Uint8Array(resizable), 'key')
        if (isLost) taken++
      } catch (error) {
        assert.equal(isLost && error instanceof InvalidArgumentError, true)
      }
    }
    assert.equal(taken, 0)
  })
}
