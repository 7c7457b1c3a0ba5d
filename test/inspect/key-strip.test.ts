/**
 * Key ranges on one scale.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyStrip } from '../../src/inspect/key-strip.ts'

function range(smallest: string, largest: string): { smallest: Uint8Array; largest: Uint8Array } {
  const encoder = new TextEncoder()
  return { smallest: encoder.encode(smallest), largest: encoder.encode(largest) }
}

function draw(ranges: readonly (readonly [string, string])[], columns: number): string[] {
  const all = ranges.map(([smallest, largest]) => range(smallest, largest))
  const strip = new KeyStrip(all)
  return all.map((one) => {
    const [before, inside, after] = strip.place(one, columns)
    return '.'.repeat(before) + '#'.repeat(inside) + '.'.repeat(after)
  })
}

test('ranges that follow one another do so on the strip', () => {
  assert.deepEqual(
    draw(
      [
        ['a', 'b'],
        ['c', 'd'],
        ['e', 'f'],
      ],
      10,
    ),
    ['##........', '....##....', '........##'],
  )
})

test('ranges that overlap do so on the strip', () => {
  assert.deepEqual(
    draw(
      [
        ['a', 'm'],
        ['g', 'z'],
        ['a', 'z'],
      ],
      6,
    ),
    ['####..', '..####', '######'],
  )
})

test('every range shows, also one of a single key, at either end and alone', () => {
  assert.deepEqual(
    draw(
      [
        ['a', 'a'],
        ['z', 'z'],
      ],
      5,
    ),
    ['#....', '....#'],
  )
  assert.deepEqual(draw([['a', 'a']], 3), ['#..'])
})

test('any width is filled exactly', () => {
  const keys = 'abcdefghijklmnopqrstuvwxyz'
  const ranges = [...keys].map((key, i) => [key, keys[Math.min(25, i + (i % 7))]] as const)
  for (let columns = 1; columns < 40; columns++) {
    for (const line of draw(ranges, columns)) {
      assert.equal(line.length, columns)
      assert.match(line, /^\.*#+\.*$/)
    }
  }
})
