import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hash32 } from '../../src/base/hash.ts'

const vectors: readonly (readonly [string, number])[] = [
  ['', 0xbc9f1d34],
  ['62', 0xef1345c4],
  ['c397', 0x5b663814],
  ['e299a5', 0x323c078f],
  ['e180b932', 0xed21633a],
]

for (const [hex, expected] of vectors) {
  test(`the hash of ${hex === '' ? 'nothing' : hex} is LevelDB's, wherever the bytes lie`, () => {
    const bytes = Buffer.from(`7f${hex}7f`, 'hex')
    assert.equal(hash32(bytes, 1, bytes.length - 2, 0xbc9f1d34), expected)
  })
}
