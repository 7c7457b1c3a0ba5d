/**
 * A batch without ops, as a log record, would be a marker: proof that all before it had been synced, which it had not.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import { CRASH_MODES } from '../../src/env/crash-image.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { open, WriteBatch } from '../../src/public/index.ts'

test('a batch without ops leaves a log that still opens after power was lost', async () => {
  const environment = new MemoryEnvironment()
  const db = await open('/db', { environment, workers: 0 })
  for (let i = 0; i < 10; i++) db.putSync(`key${i}`, 'x'.repeat(600))
  db.writeSync(new WriteBatch())
  for (let seed = 0; seed < 60; seed++) {
    const image = environment.crashImage(CRASH_MODES[seed % CRASH_MODES.length], new Prng(seed))
    const survivor = await open('/db', { environment: image, workers: 0 })
    const keys = Array.from(survivor.keysSync(), (key) => new TextDecoder().decode(key))
    assert.deepEqual(
      keys,
      Array.from(keys, (_, i) => `key${i}`),
      `a prefix, with seed ${seed}`,
    )
    await survivor.close()
  }
  await db.close()
})

test('a batch without ops at disk makes what came before it durable', async () => {
  const environment = new MemoryEnvironment()
  const db = await open('/db', { environment, workers: 0 })
  db.putSync('key', 'value')
  await db.write(new WriteBatch(), { durability: 'disk' })
  const survivor = await open('/db', { environment: environment.crashImage(0, new Prng(1)), workers: 0 })
  assert.equal(survivor.hasSync('key'), true)
  await survivor.close()
  await db.close()
})
