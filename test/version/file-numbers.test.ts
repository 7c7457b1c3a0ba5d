import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileNumber } from '../../src/base/types.ts'
import { FileNumbers } from '../../src/version/file-numbers.ts'

/** A counter of which so many numbers have been taken. */
function numbersAfter(taken: number): FileNumbers {
  const token = FileNumbers.startingAt(10).share()
  new Uint32Array(token.taken)[0] = taken
  return FileNumbers.attach(token)
}

test('numbers go on ascending where a word with a sign would turn negative', () => {
  const numbers = numbersAfter(2 ** 31 - 1)
  assert.deepEqual(
    [numbers.take(), numbers.take(), numbers.next, numbers.take()],
    [1, 2, 3, 3].map((i) => 2 ** 31 + 8 + i),
  )
  numbers.skipPast(fileNumber(2 ** 40))
  assert.equal(numbers.take(), 2 ** 40 + 1)
})

test('no number is given a second time, however many have been', () => {
  assert.throws(() => numbersAfter(2 ** 32 - 1).take(), { name: 'AssertionError' })
})
