/**
 * varve in a realm of its own, as test runners load what they test (Jest's node environment): what Node throws is no instance of
 * that realm's Error, and its buffers are none of its Uint8Array.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { build } from 'esbuild'
import { systemErrorCode, toWire } from '../../src/base/errors.ts'
import { codeOf } from '../../src/env/io-error.ts'
import { repository } from '../support/paths.ts'

const outer = mkdtempSync(join(tmpdir(), 'varve-realm-'))
after(() => rmSync(outer, { recursive: true, force: true }))

const foreign: unknown = runInNewContext("Object.assign(new Error('no space left'), { code: 'ENOSPC' })")

test('the code of a system error is known in whatever realm it was made', () => {
  assert.equal(foreign instanceof Error, false)
  assert.equal(codeOf(foreign), 'ENOSPC')
  assert.equal(systemErrorCode(foreign), 'ENOSPC')
  assert.equal(systemErrorCode(new Error('outer', { cause: foreign })), 'ENOSPC')
  const { message, osCode } = toWire(foreign)
  assert.deepEqual([message, osCode], ['no space left', 'ENOSPC'])
})

for (const nothing of [undefined, null, 'ENOSPC', 7, {}, { code: 7 }]) {
  test(`${JSON.stringify(nothing)} has no code`, () => {
    assert.equal(codeOf(nothing), undefined)
    assert.equal(systemErrorCode(nothing), undefined)
    assert.equal(toWire(nothing).message, String(nothing))
  })
}

const PROGRAM = `
import { destroy, open, restore, verify } from ${JSON.stringify(repository('.build', 'src', 'public', 'index.js'))}

async function use(outer) {
  const told = []
  const opened = async (options) => {
    const db = await open(outer + '/db', options)
    // A bundle of one file has no program for threads.
    db.on('background-error', ({ work, error }) => work === 'thread' || told.push(error.message))
    return db
  }
  let db = await opened({ writeBufferBytes: 4096 })
  for (let i = 0; i < 500; i++) await db.put('key' + i, 'value'.repeat(20))
  await db.close()
  db = await opened()
  const second = await open(outer + '/db').catch((error) => error)
  await db.checkpoint(outer + '/copy')
  const chunks = []
  for await (const chunk of db.backup()) chunks.push(toForeign(chunk))
  await db.compactRange()
  const value = Buffer.from(await db.get('key499')).length
  await db.close()
  await restore(chunks, outer + '/again')
  const { isDamaged, entries } = await verify(outer + '/again')
  const { removed } = await destroy(outer + '/copy')
  const missing = await open(outer + '/none', { createIfMissing: false }).catch((error) => error)
  return [value, second.code, second.message.includes('this process'), isDamaged, entries, removed.length > 0, missing.code, told]
}
use(outer).then(done, failed)
`

test('a database is opened, locked, reopened, copied and removed in a realm of its own', async () => {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: outer },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    external: ['fs-native-extensions'],
    logLevel: 'silent',
  })
  const result = await new Promise((done, failed) => {
    const names = Object.getOwnPropertyNames(globalThis).filter((name) => !runInNewContext(`'${name}' in globalThis`))
    const own = Object.fromEntries(names.map((name) => [name, Reflect.get(globalThis, name)]))
    const require = createRequire(import.meta.url)
    const toForeign = (chunk: Uint8Array): Uint8Array => Buffer.from(chunk)
    runInNewContext(outputFiles[0].text, { ...own, require, outer, done, failed, toForeign, module: { exports: {} } })
  })
  assert.deepEqual(JSON.parse(JSON.stringify(result)), [100, 'LOCKED', true, false, 500, true, 'NOT_FOUND', []])
})
