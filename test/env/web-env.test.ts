/**
 * The environment in memory that has the host's own clock, timers and random numbers, as Node runs it; web pages are for
 * tools/package/browser.mjs. And what an environment of Node's is told about its worker program.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { open } from '../../src/db/open.ts'
import { nodeEnvironment as pageEnvironment } from '../../src/env/browser-env.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { memoryEnvironment } from '../../src/env/web-env.ts'

test('a database in memory is there again on the same environment, and on no other', async () => {
  const environment = memoryEnvironment()
  const db = await open('data', { environment })
  await db.put('key', 'value', { durability: 'disk' })
  await db.flush()
  await db.compactRange()
  await db.close()
  const again = await open('data', { environment, createIfMissing: false })
  assert.equal(Buffer.from((await again.get('key')) ?? []).toString(), 'value')
  await assert.rejects(open('data', { environment }), { code: 'LOCKED' })
  await again.close()
  await assert.rejects(open('data', { environment: memoryEnvironment(), createIfMissing: false }), {
    code: 'NOT_FOUND',
  })
})

test('values have memory of their own where a host keeps none from being transferred', async () => {
  await using db = await open('data', { environment: memoryEnvironment() })
  for (const key of ['a', 'b', 'c']) db.putSync(key, Buffer.alloc(100, key))
  const [a, b] = db.getManySync(['a', 'b'])
  assert.ok(a !== undefined && b !== undefined)
  structuredClone(a, { transfer: [a.buffer] })
  assert.deepEqual(Buffer.from(b), Buffer.alloc(100, 'b'))
  assert.deepEqual(Buffer.from(db.getSync('c') ?? []), Buffer.alloc(100, 'c'))
})

test('a word is waited for until the time is over, and not if it has changed', () => {
  const environment = memoryEnvironment()
  const words = new Int32Array(1)
  assert.equal(environment.waitWhile(words, 0, 1, 60_000), false)
  assert.equal(environment.waitWhile(words, 0, 0, 1), true)
})

test('what comes soon comes; a timer comes unless it is cancelled', async () => {
  const environment = memoryEnvironment()
  await new Promise<void>((resolve) => environment.soon(resolve))
  const come: string[] = []
  environment.later(0, () => come.push('cancelled'), true)()
  await new Promise<void>((resolve) => environment.later(1, resolve, true))
  assert.deepEqual(come, [])
})

test('an open database in memory keeps no process alive', () => {
  const varve = new URL('../../src/public/index.js', import.meta.url).href
  const program = `const { memoryEnvironment, open } = await import(process.argv[1])
    const db = await open('data', { environment: memoryEnvironment() })
    await db.put('key', 'value', { durability: 'buffered' })
    console.log('done')`
  const args = ['--input-type=module', '-e', program, varve]
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }), 'done\n')
})

test('in a web page there is no environment of Node’s', () => {
  assert.throws(() => pageEnvironment(), { code: 'NOT_SUPPORTED', message: /memoryEnvironment/ })
})

test('an environment of Node’s refuses an option that it does not know, and permissions that are none', () => {
  // Else a misspelt one would silently not hold, and a wrong one come up as a failure of whatever file is made first.
  for (const options of [{ filemode: 0o600 }, { fileMode: 'a' }, { directoryMode: 0o10000 }, { fileMode: -1 }, null])
    assert.throws(() => nodeEnvironment(options as object), { code: 'INVALID_ARGUMENT' }, JSON.stringify(options))
  nodeEnvironment({ directoryMode: undefined, fileMode: 0o7777 })
})

test('a worker program that is not there is refused at once; one that is is run', () => {
  for (const worker of [new URL('./none.js', import.meta.url), new URL('https://varve.invalid/worker.js')]) {
    assert.throws(() => nodeEnvironment({ worker }), { code: 'INVALID_ARGUMENT' })
  }
  const worker = new URL('../../src/worker/worker-main.js', import.meta.url)
  const thread = nodeEnvironment({ worker }).startWorker()
  assert.ok(thread !== undefined)
  thread.terminate()
})
