/**
 * How a lookup goes, as lines.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import type { ExplainedLayer, ExplainedVersion } from '../../src/db/read/explanation.ts'
import { renderExplanation } from '../../src/inspect/explain-view.ts'

function version(sequence: number, type: ExplainedVersion['type'] = 'value', valueBytes: number = 0): ExplainedVersion {
  return { sequence: sequenceNumber(sequence), type, valueBytes }
}

function layer(given: Partial<ExplainedLayer>): ExplainedLayer {
  const versions = given.versions ?? []
  const number = fileNumber(7)
  return {
    level: undefined,
    number,
    isAsked: true,
    block: undefined,
    versions,
    versionCount: versions.length,
    ...given,
  }
}

test('an explanation says what is found, and lists the layers with what lies there', () => {
  const found = version(1234, 'value', 1)
  const block = { offset: 8192, bytes: 4107, isCached: true, isRuledOut: false }
  const layers = [
    layer({}),
    layer({ level: 0, block: { ...block, isRuledOut: true, isCached: false } }),
    layer({ level: 1, block, versions: [found, version(12, 'tombstone')] }),
    layer({ level: 2, number: fileNumber(12), isAsked: false, block: { ...block, isRuledOut: undefined } }),
    layer({
      number: undefined,
      isAsked: false,
      versions: [9, 8, 7, 6, 5, 4].map((one) => version(one, 'range-tombstone')),
      versionCount: 7,
    }),
  ]
  assert.deepEqual(renderExplanation('key', { found, sequence: sequenceNumber(2000), layers, otherTables: 2 }), [
    'key, as of sequence 2,000: @1,234 put, 1 byte',
    '  MemTable of 000007.log: nothing',
    '  level 0, 000007.ldb: block @8,192, 4.0 KiB, ruled out by its filter; nothing',
    '  level 1, 000007.ldb: block @8,192, 4.0 KiB, not ruled out, cached',
    '    @1,234 put, 1 byte  <- found',
    '    @12 del',
    '  level 2, 000012.ldb: not asked; block @8,192, 4.0 KiB, no filter, cached; nothing',
    '  MemTable: not asked',
    '    @9 del-range',
    '    @8 del-range',
    '    @7 del-range',
    '    @6 del-range',
    '    @5 del-range',
    '    2 older versions',
    '2 tables with other keys',
  ])
})

test('a key that no layer knows', () => {
  const nothing = { found: undefined, sequence: sequenceNumber(0), layers: [], otherTables: 0 }
  assert.deepEqual(renderExplanation('key', nothing), ['key, as of sequence 0: no layer knows it'])
})
