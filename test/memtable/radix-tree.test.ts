/**
 * RadixTree, where it is not like other representations: nodes of every kind and their replacement, forks at every depth,
 * iterators across all of it, the room that an add takes.
 * Strategy    keys over alphabets that fill each kind of node, in several orders of insertion, beside a sorted array; at
 *             every step the arena grows by no more than was to be reserved. Seeds are fixed and named by the tests.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_TAG_HIGH, MAX_TAG_LOW } from '../../src/base/internal-key.ts'
import { Prng } from '../../src/base/prng.ts'
import type { Bytes } from '../../src/base/types.ts'
import type { Arena } from '../../src/memtable/arena.ts'
import { type MemTableIterator, NO_LIMIT } from '../../src/memtable/memtable-rep.ts'
import { RADIX_OVERHEAD_BYTES } from '../../src/memtable/radix-tree.ts'
import { makeRep } from './representations.ts'

const MIB = 1024 * 1024
const NOTHING = new Uint8Array(0)

/** Hex of a key; sorts as the key does. */
function name(key: Bytes): string {
  return Buffer.from(key).toString('hex')
}

/** Distinct keys in a random order. */
function keysOf(prng: Prng, count: number, make: () => number[]): Uint8Array[] {
  const keys = new Map<string, Uint8Array>()
  for (let i = 0; i < count; i++) {
    const key = Uint8Array.from(make())
    keys.set(name(key), key)
  }
  return shuffled(prng, [...keys.values()])
}

function shuffled<T>(prng: Prng, items: readonly T[]): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = prng.below(i + 1)
    const item = result[i]
    result[i] = result[j]
    result[j] = item
  }
  return result
}

function randomBytes(prng: Prng, length: number, alphabet: number): number[] {
  return Array.from({ length }, () => Math.floor((prng.below(alphabet) * 256) / alphabet))
}

/** Sets of keys by what they do to nodes. */
const SHAPES: readonly [what: string, make: (prng: Prng) => Uint8Array[]][] = [
  ['two bytes in turn', (prng) => keysOf(prng, 400, () => randomBytes(prng, prng.below(12), 2))],
  ['ten symbols', (prng) => keysOf(prng, 3000, () => randomBytes(prng, 4, 10))],
  ['17 symbols, prefixes of each other', (prng) => keysOf(prng, 3000, () => randomBytes(prng, prng.below(5), 17))],
  ['all bytes, dense', (prng) => keysOf(prng, 60_000, () => randomBytes(prng, prng.below(3), 256))],
  ['all bytes, sparse', (prng) => keysOf(prng, 5000, () => randomBytes(prng, 1 + prng.below(8), 256))],
  [
    'long shared starts',
    (prng) => {
      const starts = Array.from({ length: 5 }, () => randomBytes(prng, 5 + prng.below(90), 256))
      return keysOf(prng, 4000, () => {
        const start = starts[prng.below(starts.length)]
        const rest = randomBytes(prng, prng.below(4), 40)
        return [...start.slice(0, start.length - prng.below(start.length)), ...rest]
      })
    },
  ],
  [
    'each a prefix of the next',
    (prng) =>
      shuffled(
        prng,
        Array.from({ length: 700 }, (_, length) => new Uint8Array(length)),
      ),
  ],
]

/** Bytes that are not free, at either end. */
function usedBytes({ tail, ceiling }: Arena): number {
  return tail - ceiling
}

function fill(keys: readonly Bytes[]): ReturnType<typeof makeRep> {
  const { arena, rep } = makeRep('radix', 16 * MIB, 0xa5)
  for (const [i, key] of keys.entries()) {
    const before = usedBytes(arena)
    assert.equal(rep.add((i + 1) << 8, 0, key, 0, key.length, NOTHING, 0, 0), 0)
    const bytes = usedBytes(arena) - before
    assert.ok(bytes <= RADIX_OVERHEAD_BYTES + key.length, `${bytes} bytes`)
  }
  return { arena, rep }
}

function keyAt(at: MemTableIterator): string {
  return at.valid ? name(at.keyBuf.subarray(at.keyOff, at.keyOff + at.keyLen)) : 'end'
}

function seek(at: MemTableIterator, key: Bytes): void {
  at.seek(key, 0, key.length, MAX_TAG_LOW, MAX_TAG_HIGH)
}

function sortedNames(keys: readonly Bytes[]): string[] {
  return keys.map(name).sort()
}

/** The keys that an iterator visits, first forwards and then back. */
function walk(at: MemTableIterator): { forwards: string[]; backwards: string[] } {
  const forwards: string[] = []
  for (at.seekToFirst(); at.valid; at.next()) forwards.push(keyAt(at))
  const backwards: string[] = []
  for (at.seekToLast(); at.valid; at.prev()) backwards.push(keyAt(at))
  return { forwards, backwards: backwards.reverse() }
}

for (const [i, [what, make]] of SHAPES.entries()) {
  test(`keys are found, in order and within the room reserved for them: ${what}, seed ${i}`, () => {
    const prng = new Prng(i)
    const keys = make(prng)
    const { rep } = fill(keys)
    const expected = sortedNames(keys)
    assert.deepEqual(walk(rep.iterator(NO_LIMIT)), { forwards: expected, backwards: expected })
    for (const key of keys) assert.notEqual(rep.find(key, 0, key.length, MAX_TAG_LOW, 0, NO_LIMIT), 0, name(key))
  })

  test(`a seek lands on the least key that is not before its target: ${what}, seed ${i}`, () => {
    const prng = new Prng(i)
    const keys = make(prng)
    const present = keys.filter((_, k) => k % 2 === 0)
    const { rep } = fill(present)
    const expected = sortedNames(present)
    const names = new Set(expected)
    const at = rep.iterator(NO_LIMIT)
    for (const key of keys.slice(0, 2000)) {
      seek(at, key)
      const place = lowerBound(expected, name(key))
      assert.equal(keyAt(at), expected[place] ?? 'end', `at ${name(key)}`)
      const isFound = rep.find(key, 0, key.length, MAX_TAG_LOW, 0, NO_LIMIT) !== 0
      assert.equal(isFound, names.has(name(key)), `find ${name(key)}`)
      if (!at.valid) continue
      at.prevKey()
      assert.equal(keyAt(at), expected[place - 1] ?? 'end', `before ${name(key)}`)
      seek(at, key)
      at.nextKey()
      assert.equal(keyAt(at), expected[place + 1] ?? 'end', `after ${name(key)}`)
    }
  })

  test(`an iterator at a limit stays there while nodes are replaced around it: ${what}, seed ${i}`, () => {
    const prng = new Prng(i)
    const keys = make(prng)
    const { arena, rep } = makeRep('radix', 16 * MIB)
    arena.isShared = true
    const early = keys.slice(0, keys.length >> 1)
    const expected = sortedNames(early)
    for (const [k, key] of early.entries()) rep.add((k + 1) << 8, 0, key, 0, key.length, NOTHING, 0, 0)
    const limit = arena.tail
    const standing = rep.iterator(limit)
    const found: string[] = []
    const back: string[] = []
    const backwards = rep.iterator(limit)
    backwards.seekToLast()
    standing.seekToFirst()
    for (const [k, key] of keys.slice(early.length).entries()) {
      rep.add((early.length + k + 1) << 8, 0, key, 0, key.length, NOTHING, 0, 0)
      if (k % 2 === 0) rep.add((keys.length + k) << 8, 0, early[k >> 1], 0, early[k >> 1].length, NOTHING, 0, 0)
      for (let steps = prng.below(3); steps > 0 && standing.valid; steps--, standing.next()) found.push(keyAt(standing))
      for (let steps = prng.below(3); steps > 0 && backwards.valid; steps--, backwards.prev())
        back.push(keyAt(backwards))
    }
    for (; standing.valid; standing.next()) found.push(keyAt(standing))
    for (; backwards.valid; backwards.prev()) back.push(keyAt(backwards))
    assert.deepEqual(found, expected)
    assert.deepEqual(back.reverse(), expected)
    assert.deepEqual(walk(rep.iterator(limit)), { forwards: expected, backwards: expected })
    const firstLate = keys.at(-1)!
    assert.equal(rep.find(firstLate, 0, firstLate.length, MAX_TAG_LOW, 0, limit), 0)
  })

  test(`the writer's own iterator meets what is added ahead of it: ${what}, seed ${i}`, () => {
    const prng = new Prng(i)
    const keys = make(prng).slice(0, 1200)
    const { rep } = makeRep('radix', 16 * MIB)
    const present: string[] = []
    const at = rep.iterator(NO_LIMIT)
    for (const [k, key] of keys.entries()) {
      const here = keyAt(at)
      rep.add((k + 1) << 8, 0, key, 0, key.length, NOTHING, 0, 0)
      present.splice(lowerBound(present, name(key)), 0, name(key))
      if (!at.valid || k % 50 === 0) {
        seek(at, keys[prng.below(k + 1)])
        assert.ok(at.valid)
        continue
      }
      if (k % 2 === 0) at.nextKey()
      else at.prevKey()
      const place = present.indexOf(here)
      assert.equal(keyAt(at), present[k % 2 === 0 ? place + 1 : place - 1] ?? 'end', `from ${here}`)
    }
  })
}

/** How many names sort before the given one. */
function lowerBound(names: readonly string[], target: string): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (names[middle] < target) low = middle + 1
    else high = middle
  }
  return low
}

test('the costliest add, of a seventeenth branch in pairs of a half byte, takes what is reserved for one', () => {
  const { arena, rep } = makeRep('radix', MIB)
  const add = (...key: number[]): number => {
    const before = usedBytes(arena)
    rep.add((arena.tail + 1) << 8, 0, Uint8Array.from(key), 0, key.length, NOTHING, 0, 0)
    return usedBytes(arena) - before
  }
  add(7)
  for (let pair = 0; pair < 8; pair++) for (let half = 0; half < 2; half++) add(7, pair * 16 + half)
  const bytes = add(7, 255)
  // The leaf; the fan with the terminal; eight nodes of 4 links; one link that needs none.
  assert.equal(bytes, 4 + 4 + 12 + (4 + 68) + 8 * 24)
  assert.ok(bytes <= RADIX_OVERHEAD_BYTES + 2)
})

test('the newest version is met by the iterator of the writer that stands on its key', () => {
  const { rep } = makeRep('radix', MIB)
  const add = (key: string, sequence: number): void => {
    rep.add(sequence << 8, 0, Buffer.from(key), 0, key.length, NOTHING, 0, 0)
  }
  for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) add(key, i + 1)
  const at = rep.iterator(NO_LIMIT)
  seek(at, Buffer.from('b'))
  assert.equal(at.tagLow >>> 8, 2)
  add('b', 5)
  at.toNewest()
  assert.equal(at.tagLow >>> 8, 5)
  // The node is full, and replaced: the links of the old one lead to the past.
  for (const [i, key] of ['e', 'bb', 'b'].entries()) add(key, 6 + i)
  at.toNewest()
  assert.equal(at.tagLow >>> 8, 8)
  at.next()
  assert.equal(at.tagLow >>> 8, 5)
  at.prev()
  assert.equal(at.tagLow >>> 8, 8)
  at.nextKey()
  assert.equal(keyAt(at), name(Buffer.from('bb')))
})

test('an iterator that has looked ahead meets what its writer then does to the keys that come next', () => {
  const { rep } = makeRep('radix', MIB)
  let sequence = 0
  const add = (key: string): void => {
    rep.add(++sequence << 8, 0, Buffer.from(key), 0, key.length, NOTHING, 0, 0)
  }
  for (let i = 10; i < 80; i++) add(`key ${i}`)
  const at = rep.iterator(NO_LIMIT)
  at.seekToFirst()
  // Far enough to look for many at once: 1 and 2 and 4 and 8 and 16.
  for (let i = 0; i < 20; i++) at.next()
  assert.equal(keyAt(at), name(Buffer.from('key 30')))
  add('key 32')
  const met: number[] = []
  for (let i = 0; i < 4; i++, at.next()) met.push(at.tagLow >>> 8)
  assert.deepEqual(met, [21, 22, 71, 23], 'a new version')
  for (let i = 0; i < 10; i++) at.next()
  assert.equal(keyAt(at), name(Buffer.from('key 43')))
  add('key 43+')
  at.next()
  assert.equal(keyAt(at), name(Buffer.from('key 43+')), 'a new key')
})

test('keys of 64 KiB that part at any byte, and a path with a node for each of them', () => {
  const length = 64 * 1024
  const keys = [1, 3, 4, 5, 1000, 65_534, 65_535].map((at) => new Uint8Array(length).fill(1, at))
  for (let i = 0; i < 20; i++) keys.push(new Uint8Array(length + i), new Uint8Array(length - 7 * i - 1))
  const { rep } = fill(shuffled(new Prng(1), keys))
  const expected = sortedNames(keys)
  assert.deepEqual(walk(rep.iterator(NO_LIMIT)), { forwards: expected, backwards: expected })
})
