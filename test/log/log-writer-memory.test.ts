/**
 * What a LogWriter keeps reachable, as the garbage collector of Node.js sees it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { LogWriter } from '../../src/log/log-writer.ts'
import { MemoryWritableFile } from '../support/memory-file.ts'

test('a writer holds on to no large buffer that a short record came from, once it is in the file', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const writer = new LogWriter(new MemoryWritableFile())
  const addOutOf = (bytes: Uint8Array): WeakRef<Uint8Array> => {
    writer.add(bytes, 0, 100)
    return new WeakRef(bytes)
  }
  const large = addOutOf(new Uint8Array(5_000_000))
  writer.flush()
  await setImmediate()
  collectGarbage()
  assert.equal(large.deref(), undefined)
})
