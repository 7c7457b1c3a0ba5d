/** What a compaction may leave out: every short history of a key, under every choice of snapshots, asked by every reader. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { tagHigh, tagLow } from '../../src/base/internal-key.ts'
import { type SequenceNumber, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { DropRule } from '../../src/jobs/drop-rule.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { bytesOf } from '../table/entries.ts'
import { drawnFile } from '../version/drawn-version.ts'

const KEY = bytesOf('k')
const LONGEST = 5

interface Version {
  readonly sequence: number
  readonly type: number
}

/** All histories of up to so many versions, newest first; sequences 2, 4, 6, … */
function histories(length: number): Version[][] {
  if (length === 0) return [[]]
  const shorter = histories(length - 1)
  const full = shorter.filter((history) => history.length === length - 1)
  const longer = full.flatMap((history) =>
    [ValueType.VALUE, ValueType.DELETION].map((type) => [{ sequence: 2 * length, type }, ...history]),
  )
  return [...shorter, ...longer]
}

/** All subsets, ascending. */
function subsets(numbers: readonly number[]): number[][] {
  if (numbers.length === 0) return [[]]
  const rest = subsets(numbers.slice(1))
  return [...rest, ...rest.map((subset) => [numbers[0], ...subset])]
}

/** What a reader finds: the sequence of a value, or undefined; below all versions lies `deeper`, if that is not undefined. */
function found(versions: readonly Version[], reader: number, deeper: number | undefined): number | undefined {
  const seen = versions.find(({ sequence }) => sequence <= reader)
  if (seen === undefined) return deeper
  return seen.type === ValueType.VALUE ? seen.sequence : undefined
}

function kept(history: readonly Version[], snapshots: readonly number[], deeper: readonly FileMetadata[]): Version[] {
  const rule = new DropRule(bytewiseComparator, snapshots as SequenceNumber[], [[], deeper])
  rule.startKey()
  return history.filter(
    ({ sequence, type }) => !rule.drops(KEY, 0, KEY.length, tagLow(sequence, type), tagHigh(sequence)),
  )
}

test('no reader misses what is dropped, whatever the history, the snapshots and what lies deeper', () => {
  let cases = 0
  for (const history of histories(LONGEST)) {
    for (const snapshots of subsets([0, 1, 2, 3, 4, 5, 6, 8, 9])) {
      for (const [deeper, files] of [
        [undefined, []],
        [undefined, [drawnFile('1[a..j]'), drawnFile('2[l..z]')]],
        [0, [drawnFile('1[a..j]'), drawnFile('2[k..z]')]],
      ] as const) {
        const left = kept(history, snapshots, files)
        for (const reader of [...snapshots, Number.MAX_SAFE_INTEGER]) {
          assert.equal(found(left, reader, deeper), found(history, reader, deeper), describe(history, snapshots))
        }
        cases++
      }
    }
  }
  assert.equal(cases, (2 ** (LONGEST + 1) - 1) * 512 * 3)
})

test('every value that is kept is seen by some reader, and a tombstone hides something or lies above the oldest snapshot', () => {
  for (const history of histories(LONGEST)) {
    for (const snapshots of subsets([1, 2, 4, 5, 7, 8])) {
      const left = kept(history, snapshots, [])
      const readers = [...snapshots, Number.MAX_SAFE_INTEGER]
      for (const version of left) {
        const isSeen = readers.some((reader) => left.find(({ sequence }) => sequence <= reader) === version)
        assert.ok(isSeen, describe(history, snapshots))
        if (version.type === ValueType.DELETION)
          assert.ok(version.sequence > snapshots[0], describe(history, snapshots))
      }
    }
  }
})

test('an entry that comes twice is kept once', () => {
  const twice = [
    { sequence: 4, type: ValueType.VALUE },
    { sequence: 4, type: ValueType.VALUE },
    { sequence: 2, type: ValueType.VALUE },
  ]
  assert.deepEqual(kept(twice, [3], []), [twice[0], twice[2]])
  assert.deepEqual(kept(twice, [], []), [twice[0]])
})

test('tombstones are kept over exactly the keys that tables below may hold, in any level of them', () => {
  const levels = [
    [drawnFile('1[b..c]'), drawnFile('2[f..f]'), drawnFile('3[m..p]')],
    [],
    [drawnFile('4[c..d]'), drawnFile('5[n..z]')],
  ]
  for (const step of [1, 2, 3, 7]) {
    const rule = new DropRule(bytewiseComparator, [sequenceNumber(9)], levels)
    const kept: string[] = []
    for (let i = 0; i < 26; i += step) {
      const key = bytesOf(`-${String.fromCharCode(97 + i)}`)
      rule.startKey()
      if (!rule.drops(key, 1, 1, tagLow(9, ValueType.DELETION), tagHigh(9))) kept.push(String.fromCharCode(97 + i))
    }
    const expected = [...'bcdfmnopqrstuvwxyz'].filter((letter) => (letter.charCodeAt(0) - 97) % step === 0)
    assert.deepEqual(kept, expected, `every ${step}.`)
  }
})

function describe(history: readonly Version[], snapshots: readonly number[]): string {
  const versions = history.map(
    ({ sequence, type }) => `${type === ValueType.VALUE ? 'value' : 'tombstone'} ${sequence}`,
  )
  return `${versions.join(', ')}; snapshots ${snapshots.join(', ')}`
}
