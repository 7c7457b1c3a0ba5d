/**
 * The entries of index blocks: however a writer has spread its restart points, and however its keys share their prefixes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { encodeInternalKey } from '../../src/base/internal-key.ts'
import { Block } from '../../src/table/block.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { type BlockHandle, putHandle } from '../../src/table/table-format.ts'
import { TableIndex } from '../../src/table/table-index.ts'
import { bytesOf } from './entries.ts'

const COUNT = 300
/** Of lengths that take one byte, and of some that take two. */
const KEYS = Array.from({ length: COUNT }, (_, i) =>
  bytesOf(`key ${String(i).padStart(4, '0')}${'.'.repeat(i % 7 === 0 ? 200 : i % 5)}`),
)
const HANDLES: readonly BlockHandle[] = KEYS.map((_, i) => ({ offset: 5000 * i, bytes: 4000 + (i % 9) }))

function indexOf(restartInterval: number): TableIndex {
  const builder = new BlockBuilder(restartInterval, 16)
  for (const [i, key] of KEYS.entries()) {
    const encoded = encodeInternalKey(key, 0, key.length, 1, 1)
    const handle = new Uint8Array(20)
    builder.add(encoded, encoded.length, handle, 0, putHandle(handle, 0, HANDLES[i]))
  }
  return new TableIndex(bytewiseComparator, new Block(builder.finish(), 'f.ldb', 7), 5000 * COUNT)
}

for (const restartInterval of [1, 2, 16, COUNT]) {
  test(`an index with a restart point for each ${restartInterval} entries is read whole`, () => {
    const index = indexOf(restartInterval)
    assert.equal(index.count, COUNT)
    assert.deepEqual(
      HANDLES.map((_, i) => index.handle(i)),
      HANDLES,
    )
    assert.deepEqual(
      KEYS.map((key) => index.find(key, 0, key.length, 1, 1)),
      KEYS.map((_, i) => i),
    )
  })
}
