import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commonPrefixLength, toHex } from '../../src/base/bytes.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { encodeInternalKey, TAG_BYTES } from '../../src/base/internal-key.ts'
import { Prng } from '../../src/base/prng.ts'
import { putBytewiseSeparator, shortestSeparator } from '../../src/table/index-key.ts'

test('a separator that is put in place is the one that the comparator finds, for random neighbours', () => {
  const seed = Number(process.env.VARVE_SEED ?? 8)
  const prng = new Prng(seed)
  const draw = (): Uint8Array<ArrayBuffer> =>
    Uint8Array.from({ length: prng.below(6) }, () => [0, 1, 2, 0xfe, 0xff][prng.below(5)])
  let shorter = 0
  for (let i = 0; i < 20_000; i++) {
    const [start, limit] = [draw(), draw()].sort(Buffer.compare)
    const key = encodeInternalKey(start, 0, start.length, prng.below(2 ** 16), prng.below(2))
    const expected = shortestSeparator(bytewiseComparator, key, limit)
    const common = commonPrefixLength(start, 0, start.length, limit, 0, limit.length)
    const next = common < limit.length ? limit[common] : 0
    const into = new Uint8Array(key.length)
    const length = putBytewiseSeparator(into, key, key.length, common, next)
    assert.equal(toHex(length === 0 ? key : into, 0, length || key.length), toHex(expected), `seed ${seed}, pair ${i}`)
    if (length > 0) shorter++
    assert.ok(length === 0 || length < start.length + TAG_BYTES)
  }
  assert.ok(shorter > 1000)
})
