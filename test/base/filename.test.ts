import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isUsualName,
  logName,
  manifestName,
  oldTableName,
  parseFileName,
  tableName,
  temporaryName,
} from '../../src/base/filename.ts'
import { fileNumber } from '../../src/base/types.ts'

const known: readonly (readonly [string, string, number])[] = [
  ['100.log', 'log', 100],
  ['0.log', 'log', 0],
  ['000007.ldb', 'table', 7],
  ['0.sst', 'table', 0],
  ['CURRENT', 'current', 0],
  ['LOCK', 'lock', 0],
  ['MANIFEST-2', 'manifest', 2],
  ['MANIFEST-000007', 'manifest', 7],
  ['LOG', 'info-log', 0],
  ['LOG.old', 'info-log', 0],
  ['000012.dbtmp', 'temporary', 12],
  ['9007199254740991.log', 'log', 2 ** 53 - 1],
]

for (const [name, type, number] of known) {
  test(`${name} is a ${type}`, () => assert.deepEqual(parseFileName(name), { type, number }))
}

const foreign = [
  '',
  'foo',
  'foo-dx-100.log',
  '.log',
  'manifest',
  'CURREN',
  'CURRENTX',
  'MANIFES',
  'MANIFEST',
  'MANIFEST-',
  'XMANIFEST-3',
  'MANIFEST-3x',
  'LOC',
  'LOCKx',
  'LO',
  'LOGx',
  '100',
  '100.',
  '100.lop',
  '100.log\n',
  '-1.log',
  '+1.log',
  '1e3.log',
  '0x1.log',
  ' 1.log',
  '9007199254740992.log',
  '18446744073709551616.log',
  '184467440737095516150.ldb',
  '__proto__',
  'constructor',
]

for (const name of foreign) {
  test(`${JSON.stringify(name)} is a foreign file`, () => assert.equal(parseFileName(name), undefined))
}

test('names have six digits, or more where the number needs them, and are parsed back', () => {
  assert.deepEqual(
    [logName, tableName, oldTableName, manifestName, temporaryName].map((make) => make(fileNumber(42))),
    ['000042.log', '000042.ldb', '000042.sst', 'MANIFEST-000042', '000042.dbtmp'],
  )
  for (const number of [0, 999_999, 1_000_000, 2 ** 53 - 1]) {
    assert.equal(parseFileName(tableName(fileNumber(number)))?.number, number)
  }
})

test('of the names that are known, only the ones that a database gives are usual', () => {
  for (const name of [
    '000001.log',
    '000007.ldb',
    '1000000.sst',
    'MANIFEST-000002',
    '000012.dbtmp',
    'CURRENT',
    'LOG.old',
  ]) {
    assert.equal(isUsualName(name), true, name)
  }
  for (const name of [
    '1.log',
    '0000001.log',
    '000000.log',
    '0.ldb',
    'MANIFEST-2',
    'MANIFEST-0000002',
    'foo',
    '000001.lop',
  ]) {
    assert.equal(isUsualName(name), false, name)
  }
})
