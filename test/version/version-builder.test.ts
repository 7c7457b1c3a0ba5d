/** What a VersionBuilder makes of edits, and which outcomes it refuses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { Version } from '../../src/version/version.ts'
import { VersionBuilder } from '../../src/version/version-builder.ts'
import type { VersionEdit } from '../../src/version/version-edit.ts'
import { drawnFile, drawnVersion } from './drawn-version.ts'

function filesAt(level: number, ...words: string[]): { level: number; file: ReturnType<typeof drawnFile> }[] {
  return words.map((word) => ({ level, file: drawnFile(word) }))
}

function built(edit: VersionEdit): string {
  const version = new VersionBuilder(bytewiseComparator, Version.empty(bytewiseComparator)).apply(edit).build()
  return typeof version === 'string' ? version : tablesOf(version)
}

function tablesOf(version: Version): string {
  return [...version.files()].map(({ level, file }) => `${level}:${file.number}`).join(' ')
}

const CASES: readonly (readonly [name: string, edit: VersionEdit, outcome: string])[] = [
  ['nothing', {}, ''],
  [
    'tables of level 0 lie by number, whatever their keys, and may overlap',
    { newFiles: filesAt(0, '9[a..c]', '7[b..z]') },
    '0:7 0:9',
  ],
  ['tables of another level lie by key', { newFiles: filesAt(1, '7[k..m]', '9[a..c]', '8[d..f]') }, '1:9 1:8 1:7'],
  ['a table of one entry', { newFiles: filesAt(1, '7[a..a]') }, '1:7'],
  ['a table that ends before it starts', { newFiles: filesAt(0, '7[b..a]') }, 'table 7 starts after it ends'],
  [
    'a table that ends with a newer version of its only key',
    { newFiles: filesAt(2, '7[a#3..a#5]') },
    'table 7 starts after it ends',
  ],
  [
    'a table in two levels',
    { newFiles: [...filesAt(1, '7[a..c]'), ...filesAt(2, '7[a..c]')] },
    'table 7 is in two levels',
  ],
  ['a table listed twice in one level is one', { newFiles: filesAt(1, '7[a..c]', '7[a..c]') }, '1:7'],
  ['tables that share a key', { newFiles: filesAt(1, '8[c..f]', '7[a..c]') }, 'tables 7 and 8 of level 1 overlap'],
  ['tables one inside the other', { newFiles: filesAt(6, '8[b..c]', '7[a..z]') }, 'tables 7 and 8 of level 6 overlap'],
  ['older versions of a key in the next table', { newFiles: filesAt(1, '8[c#4..f]', '7[a..c#5]') }, '1:7 1:8'],
  [
    'newer versions of a key in the next table',
    { newFiles: filesAt(1, '8[c#6..f]', '7[a..c#5]') },
    'tables 7 and 8 of level 1 overlap',
  ],
  [
    'deletions come before additions',
    {
      deletedFiles: filesAt(1, '7[a..c]').map(({ level, file: { number } }) => ({ level, number })),
      newFiles: filesAt(1, '7[a..c]'),
    },
    '1:7',
  ],
]

for (const [name, edit, outcome] of CASES) test(`a version of ${name}`, () => assert.equal(built(edit), outcome))

test('an edit takes tables out of the level that it names, and leaves the version before as it was', () => {
  const before = drawnVersion(['0: 5[a..c]', '1: 7[a..c] 8[d..f]'])
  const [five, , eight] = [...before.files()].map(({ file: { number } }) => number)
  const after = new VersionBuilder(bytewiseComparator, before)
    .apply({
      deletedFiles: [
        { level: 1, number: five },
        { level: 1, number: eight },
      ],
    })
    .build()
  assert.ok(typeof after !== 'string')
  assert.equal(tablesOf(after), '0:5 1:7')
  assert.equal(tablesOf(before), '0:5 1:7 1:8')
})
