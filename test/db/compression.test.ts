/**
 * The option `compression` where the host lacks zstd: opening with it is refused before anything is made, and a table that
 * another host wrote with it says what it takes to read it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Environment } from '../../src/base/environment.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { open } from '../../src/public/index.ts'
import { FaultEnvironment } from '../support/fault-env.ts'

/** An environment in memory, on the files of another, with these codecs. */
function withCodecs(inner: MemoryEnvironment, codecs: Environment['codecs']): Environment {
  return Object.assign(new FaultEnvironment(inner), { codecs })
}

/** "Compresses" what is long to a sound frame of one raw block, which holds half the contents; decodes nothing. */
function halfZstd(): NonNullable<Environment['codecs']> {
  const compress = (contents: Uint8Array): Uint8Array => {
    if (contents.length < 1000) return contents
    const kept = contents.length >> 1
    const length = contents.length - 256
    const header = [0x28, 0xb5, 0x2f, 0xfd, 0x60, length & 255, length >> 8, 1 | ((kept & 31) << 3), kept >> 5, 0]
    return Uint8Array.from([...header, ...contents.subarray(contents.length - kept)])
  }
  const uncompress = (): undefined => undefined
  return { zstd: { compress, uncompress } }
}

test('zstd is refused where the host lacks it, and nothing is made', async () => {
  const inner = new MemoryEnvironment()
  const environment = withCodecs(inner, {})
  await assert.rejects(open('/db', { environment, compression: 'zstd' }), (error: Error & { code?: string }) => {
    return error.code === 'NOT_SUPPORTED' && /Node\.js has it from 22\.15 and 23\.8 on/.test(error.message)
  })
  assert.deepEqual(inner.paths(), [])
})

test('a table with zstd says which Node can read it, and a decoder that fails is damage', async () => {
  const inner = new MemoryEnvironment()
  const options = { compression: 'zstd', bloomBitsPerKey: 0, workers: 0 } as const
  const db = await open('/db', { ...options, environment: withCodecs(inner, halfZstd()) })
  for (let i = 0; i < 50; i++) await db.put(`lake/${1000 + i}`, 'silt and clay '.repeat(3))
  await db.close()
  for (const [codecs, code, message] of [
    [{}, 'NOT_SUPPORTED', /compressed with zstd, and zstd is not there: Node\.js has it from 22\.15 and 23\.8 on/],
    [undefined, 'NOT_SUPPORTED', /compressed with zstd, and zstd is not there/],
    [halfZstd(), 'CORRUPTION', /compressed with zstd is damaged: it cannot be decoded/],
  ] as const) {
    const again = await open('/db', { environment: withCodecs(inner, codecs), workers: 0, readOnly: true })
    const isSaid = (error: Error & { code?: string; file?: string; offset?: number }): boolean =>
      error.code === code && message.test(error.message) && error.file?.endsWith('.ldb') === true && error.offset === 0
    assert.throws(() => again.getSync('lake/1003'), isSaid)
    await again.close()
  }
})
