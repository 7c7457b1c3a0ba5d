/** The word by which a thread says that it has begun, or its owner that it is not to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin, callOff, threadStart } from '../../src/env/thread-start.ts'

test('a thread that has begun cannot be called off, and begins once', () => {
  const start = threadStart()
  assert.ok(start.buffer instanceof SharedArrayBuffer)
  assert.deepEqual([begin(start), callOff(start), begin(start), callOff(start)], [true, false, false, false])
})

test('a thread that is called off never begins, however often either asks', () => {
  const start = threadStart()
  assert.deepEqual([callOff(start), begin(start), callOff(start), begin(start)], [true, false, true, false])
})
