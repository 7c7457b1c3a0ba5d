import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileNumber } from '../../src/base/types.ts'
import { RecentMisses } from '../../src/cache/recent-misses.ts'

test('a miss is remembered until about as many others have come as there are places', () => {
  const count = 4096
  const misses = new RecentMisses(count)
  const file = fileNumber(7)
  const rememberedAfter = (others: number, from: number): number => {
    let remembered = 0
    for (let at = from; at < from + 100; at++) {
      misses.add(file, at)
      for (let other = 0; other < others; other++) misses.add(fileNumber(1000 + at), other)
      if (misses.add(file, at)) remembered++
    }
    return remembered
  }
  assert.equal(rememberedAfter(0, 0), 100)
  assert.ok(rememberedAfter(count / 8, 1000) > 80)
  assert.ok(rememberedAfter(8 * count, 2000) < 10)
})

test('no block is remembered before it was missed, whatever its mark', () => {
  // The product of both is 0 in 32 bits, as a place is that nobody has marked.
  for (const [file, at] of [
    [0, 0],
    [2 ** 32, 0],
    [1, 0x85ebca6b],
  ]) {
    const misses = new RecentMisses(1)
    assert.equal(misses.add(fileNumber(file), at), false)
    assert.equal(misses.add(fileNumber(file), at), true)
  }
})

test('blocks of one table, of tables in a row and of the same number each have marks of their own', () => {
  const misses = new RecentMisses(2 ** 20)
  let mistaken = 0
  for (let file = 1; file <= 100; file++)
    for (let at = 0; at < 100; at++) if (misses.add(fileNumber(file), at)) mistaken++
  assert.equal(mistaken, 0)
  let remembered = 0
  for (let file = 1; file <= 100; file++)
    for (let at = 0; at < 100; at++) if (misses.add(fileNumber(file), at)) remembered++
  assert.ok(remembered > 9800, `${remembered} of 10,000`)
})
