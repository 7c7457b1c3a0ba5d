/**
 * explain: what it says of a lookup is what the lookup does, and what it lists is what lies in the layers.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { encodeInternalKey, tagHigh, tagLow } from '../../src/base/internal-key.ts'
import { Prng } from '../../src/base/prng.ts'
import { type Bytes, MAX_SEQUENCE } from '../../src/base/types.ts'
import { Calls } from '../../src/db/calls.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { explain } from '../../src/db/read/explain.ts'
import type { Explanation } from '../../src/db/read/explanation.ts'
import type { ReadHost } from '../../src/db/read/read-host.ts'
import { attach } from '../../src/db/threads/attach.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { Version } from '../../src/version/version.ts'
import { flipped, openIn } from './directories.ts'

/** `+` where the layer is asked; where it is; its versions. */
function summary({ layers }: Explanation): string[] {
  return layers.map(({ isAsked, level, versions }) => {
    const place = level === undefined ? 'memory' : `level ${level}`
    const list = versions.map(({ sequence, type, valueBytes }) => `${type} @${sequence} ${valueBytes}`)
    return `${isAsked ? '+' : '-'} ${place}: ${list.join(', ') || 'nothing'}`
  })
}

/** Level 2 or so: a, b, c, x. Level 0: b. In memory: b, c deleted; a deleted by a range. */
async function fill(db: DB): Promise<void> {
  for (const key of ['a', 'b', 'c', 'x']) db.putSync(key, 'deep')
  await db.compactRange()
  db.putSync('a0', 'in level 0, so that b is between two keys')
  db.putSync('b', '0')
  db.putSync('bb', 'as well')
  await db.flush()
  db.putSync('b', 'memory')
  db.deleteSync('c')
  db.deleteRangeSync('a', 'aa')
}

test('the layers come newest first, and are asked until one knows the key', async () => {
  const db = await openIn(new MemoryEnvironment(), { mergeAtRest: false })
  await fill(db)
  const level = db.stats().tables.find((table) => table.level > 0)?.level
  assert.ok(level !== undefined)
  const deep = (sequence: number): string => `level ${level}: value @${sequence} 4`
  assert.deepEqual(summary(await db.explain('b')), ['+ memory: value @8 6', '- level 0: value @6 1', `- ${deep(2)}`])
  assert.deepEqual(summary(db.explainSync('x')), ['+ memory: nothing', `+ ${deep(4)}`])
  assert.deepEqual(summary(db.explainSync('c')), ['+ memory: tombstone @9 0', `- ${deep(3)}`])
  assert.deepEqual(summary(db.explainSync('a')), ['+ memory: range-tombstone @10 0', `- ${deep(1)}`])
  assert.deepEqual(summary(db.explainSync('ab')), [
    '+ memory: nothing',
    '+ level 0: nothing',
    `+ level ${level}: nothing`,
  ])
  assert.equal(db.explainSync('x').otherTables, 1)
  assert.deepEqual(summary(db.explainSync('z')), ['+ memory: nothing'])
  assert.equal(db.explainSync('z').otherTables, 2)
  assert.equal(db.explainSync('z').found, undefined)
  await db.close()
})

test('an empty database has no layers; a MemTable that holds nothing is none', async () => {
  const db = await openIn(new MemoryEnvironment())
  assert.deepEqual(await db.explain('a'), { found: undefined, sequence: 0, layers: [], otherTables: 0 })
  await db.close()
})

test('a block says where it is, what its filter says of the key, and whether it was in the cache', async () => {
  const db = await openIn(new MemoryEnvironment(), { bloomBitsPerKey: 20, mergeAtRest: false })
  for (const key of ['a', 'c']) db.putSync(key, '1')
  await db.flush()
  const block = (key: string): unknown => {
    const [layer] = db.explainSync(key).layers
    const { isCached, isRuledOut, offset } = layer.block ?? {}
    return { isCached, isRuledOut, offset }
  }
  assert.deepEqual(block('a'), { isCached: false, isRuledOut: false, offset: 0 })
  assert.deepEqual(block('a'), { isCached: true, isRuledOut: false, offset: 0 })
  // A filter may be wrong about a key that is not there, but hardly about ten.
  const others = Array.from({ length: 10 }, (_, i) => block(`b${i}`))
  assert.ok(others.some((one) => isDeepStrictEqual(one, { isCached: true, isRuledOut: true, offset: 0 })))
  await db.close()
  const bare = await openIn(new MemoryEnvironment(), { bloomBitsPerKey: 0 })
  bare.putSync('a', '1')
  await bare.flush()
  assert.equal(bare.explainSync('a').layers[0].block?.isRuledOut, undefined)
  await bare.close()
})

test('of a key with very many versions the newest are listed, and all are counted', async () => {
  const db = await openIn(new MemoryEnvironment(), { writeBufferBytes: 1 << 20 })
  for (let i = 1; i <= 250; i++) db.putSync('counter', String(i))
  const [{ versions, versionCount }] = db.explainSync('counter').layers
  assert.equal(versionCount, 250)
  assert.deepEqual([versions.length, versions[0].sequence, versions[99].sequence], [100, 250, 151])
  await db.close()
})

test('a snapshot is explained as it is read, also where the version that it sees is not among those listed', async () => {
  const db = await openIn(new MemoryEnvironment(), { writeBufferBytes: 1 << 20 })
  db.putSync('counter', 'first')
  using snapshot = db.snapshot()
  for (let i = 0; i < 200; i++) db.putSync('counter', '')
  db.deleteRangeSync('a', 'z')
  const { found, sequence, layers } = db.explainSync('counter', { snapshot })
  assert.deepEqual([found, sequence], [{ sequence: 1, type: 'value', valueBytes: 5 }, 1])
  assert.equal(layers[0].versionCount, 201, 'a range tombstone that is not visible is not listed')
  assert.equal(db.explainSync('counter').found?.type, 'range-tombstone')
  snapshot.close()
  await db.close()
})

test('what explain finds is what a lookup finds, for every key and every snapshot of a random history', async () => {
  const seed = (Math.random() * 2 ** 32) >>> 0
  const random = new Prng(seed)
  const db = await openIn(new MemoryEnvironment(), { mergeAtRest: false, levelBytes: 20_000, maxFileBytes: 4096 })
  const key = (): string => String.fromCharCode(97 + random.below(26)) + random.below(4)
  const snapshots = []
  for (let i = 0; i < 3000; i++) {
    const draw = random.below(100)
    if (draw < 70) db.putSync(key(), 'v'.repeat(random.below(60)))
    else if (draw < 85) db.deleteSync(key())
    else if (draw < 93) db.deleteRangeSync(...([key(), key()].sort() as [string, string]))
    else if (draw === 93) await db.flush()
    if (i % 300 === 0) snapshots.push(db.snapshot())
  }
  const named = `seed ${seed}`
  let explained = 0
  for (const snapshot of [undefined, ...snapshots]) {
    for (let i = 0; i < 26 * 4; i++) {
      const one = String.fromCharCode(97 + (i >> 2)) + (i & 3)
      const { found, layers, sequence } = db.explainSync(one, { snapshot })
      const value = db.getSync(one, { snapshot })
      assert.equal(found?.type === 'value' ? found.valueBytes : undefined, value?.length, `${one}, ${named}`)
      const asked = layers.filter(({ isAsked }) => isAsked)
      assert.deepEqual(asked, layers.slice(0, asked.length), named)
      // Newer versions may lie in the block before.
      for (const { block, versions } of layers) {
        const isVisible = versions.some((version) => version.sequence <= sequence)
        if (block?.isRuledOut) assert.ok(!isVisible, `a filter that is wrong about ${one}, ${named}`)
      }
      explained++
    }
  }
  assert.equal(explained, 26 * 4 * (1 + snapshots.length))
  for (const snapshot of snapshots) snapshot.close()
  await db.close()
})

test('damage in a layer that a lookup would not reach is found', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory, { mergeAtRest: false, blockCacheBytes: 0 })
  db.putSync('a', '1')
  await db.flush()
  db.putSync('a', '2')
  const table = memory.paths().find((path) => path.endsWith('.ldb'))
  assert.ok(table !== undefined)
  memory.write(table, flipped(memory.readAll(table), 3))
  assert.equal(Buffer.from(db.getSync('a') ?? []).toString(), '2')
  const told = new Promise((resolve) => db.on('damage', resolve))
  await assert.rejects(db.explain('a'), { code: 'CORRUPTION', file: table })
  await told
  await db.close()
})

test('of a table whose filter is wrong, nothing is found, as by a lookup; and what lies there is listed', async () => {
  const folded = (key: Uint8Array): string => Buffer.from(key).toString().toLowerCase()
  const comparator = {
    name: 'folded',
    compare: (a: Uint8Array, b: Uint8Array) => (folded(a) < folded(b) ? -1 : folded(a) > folded(b) ? 1 : 0),
  }
  const db = await openIn(new MemoryEnvironment(), { comparator, bloomBitsPerKey: 20 })
  db.putSync('KEY', '1')
  await db.flush()
  assert.equal(db.getSync('key'), undefined, 'what the guide warns of')
  const { found, layers } = db.explainSync('key')
  assert.deepEqual([found, layers[0].versionCount, layers[0].block?.isRuledOut], [undefined, 1, true])
  await db.close()
})

test('below level 0 the first table is asked that may hold the key, also where an old LevelDB has left versions in two', () => {
  const comparator = bytewiseComparator
  const table = (number: number, smallest: string, largest: string): FileMetadata =>
    ({ number, bytes: 1, smallest: tagged(smallest, 9), largest: tagged(largest, 1) }) as unknown as FileMetadata
  const files = [table(10, 'a', 'k'), table(11, 'k', 'z')]
  const version = new Version(comparator, [[], files, [], [], [], [], []])
  const sequences = new Map([
    [10, 9],
    [11, 3],
  ])
  const tables = {
    acquire: (number: number) => ({ place: () => undefined, iterator: () => oneEntry('k', sequences.get(number)!) }),
    release: () => {},
  }
  const active = { table: MemTable.create({ capacityBytes: 1 << 16 }), log: { number: 1 } }
  const host = { readState: { active, immutables: [], version }, options: { comparator }, tables, calls: new Calls() }
  const { found, layers } = explain(host as unknown as ReadHost, Buffer.from('k'), MAX_SEQUENCE)
  assert.equal(found?.sequence, 9)
  assert.deepEqual(
    layers.map(({ number, isAsked }) => [number, isAsked]),
    [
      [10, true],
      [11, false],
    ],
  )
})

function tagged(key: string, sequence: number): Bytes {
  return encodeInternalKey(Buffer.from(key), 0, key.length, tagLow(sequence, 1), tagHigh(sequence))
}

/** A cursor over one value. */
function oneEntry(key: string, sequence: number): unknown {
  const keyBuf = Buffer.from(key)
  const entry = { keyBuf, keyOff: 0, keyLen: key.length, tagLow: tagLow(sequence, 1), tagHigh: tagHigh(sequence) }
  return {
    ...entry,
    valLen: 0,
    valid: false,
    seek(this: { valid: boolean }): void {
      this.valid = true
    },
    next(this: { valid: boolean }): void {
      this.valid = false
    },
  }
}

test('wrong arguments are refused', async () => {
  const db = await openIn(new MemoryEnvironment())
  await assert.rejects(db.explain(7 as never), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(db.explain('a', { snapshots: 1 } as never), { code: 'INVALID_ARGUMENT' })
  await db.close()
  await assert.rejects(db.explain('a'), { code: 'CLOSED' })
})

test('a thread that attached explains a lookup as the owner does', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-explain-'))
  const db = await open(directory, { workers: 0, mergeAtRest: false })
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  await fill(db)
  const reader = await attach(db.share())
  for (const key of ['a', 'ab', 'b', 'c', 'x', 'z']) {
    assert.deepEqual(summary(await reader.explain(key)), summary(await db.explain(key)))
  }
  await reader.close()
  await db.close()
})
