/** What an edit asks of the directory first: see also moved-directory.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IOError } from '../../src/base/errors.ts'
import { fileNumber } from '../../src/base/types.ts'
import { DatabaseDirectory } from '../../src/db/opening/database-directory.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'

const table = { number: fileNumber(7), bytes: 100, smallest: new Uint8Array(9), largest: new Uint8Array(9) }
const written = { newFiles: [{ level: 0, file: table }] }
const moved = {
  newFiles: [{ level: 1, file: table }],
  deletedFiles: [{ level: 0, number: table.number }],
}

test('an edit with a table that was just written is refused unless the table is there, whole', () => {
  const memory = new MemoryEnvironment()
  memory.files.makeDirectory('/db')
  const directory = new DatabaseDirectory(memory.files, '/db')
  const missing = {
    name: 'CorruptionError',
    message: /a table that was just written is missing/,
    file: '/db/000007.ldb',
  }
  assert.throws(() => directory.checkEdit(written), missing)
  for (const bytes of [0, 99, 101]) {
    memory.write('/db/000007.ldb', new Uint8Array(bytes))
    assert.throws(() => directory.checkEdit(written), missing, `${bytes} bytes`)
  }
  memory.write('/db/000007.ldb', new Uint8Array(100))
  directory.checkEdit(written)
})

test('an edit that writes no table asks for none: one that drops some, and one that moves them to another level', () => {
  const directory = new DatabaseDirectory(new MemoryEnvironment().files, '/db')
  directory.checkEdit({})
  directory.checkEdit({ deletedFiles: moved.deletedFiles })
  directory.checkEdit(moved)
  const other = { level: 1, number: fileNumber(8) }
  assert.throws(() => directory.checkEdit({ ...written, deletedFiles: [other] }), { name: 'CorruptionError' })
})

test('an edit is refused while another directory has the path, whatever it writes', () => {
  const { files } = new MemoryEnvironment()
  const isOther = new IOError('another directory')
  const lock = {
    release: () => {},
    check: () => {
      throw isOther
    },
  }
  const directory = new DatabaseDirectory(files, '/db', lock)
  for (const ask of [() => directory.check(), () => directory.checkEdit({})]) assert.throws(ask, isOther)
  assert.equal(directory.join('LOCK'), '/db/LOCK')
})

test('a job counts for nothing if a sync of the directory failed while it was under way', () => {
  const fail = (code: string, file: string): IOError =>
    new IOError(code, { file, cause: Object.assign(new Error(code), { code }) })
  for (const [error, isLost] of [
    [fail('EIO', '/db'), true],
    [fail('ENOSPC', '/db'), true],
    [fail('EMFILE', '/db'), false],
    [fail('EIO', '/db/000007.ldb'), false],
    [new Error('of no file'), false],
  ] as const) {
    const directory = new DatabaseDirectory(new MemoryEnvironment().files, '/db')
    const outcomes: unknown[][] = []
    const watched = (name: string) =>
      directory.watched((error, result) => outcomes.push([name, error?.message, result]))
    const [before, failing] = [watched('before'), watched('failing')]
    failing(error, undefined)
    const after = watched('after')
    before(undefined, 1)
    after(undefined, 2)
    assert.deepEqual(outcomes, [
      ['failing', error.message, undefined],
      ['before', isLost ? 'another sync of /db has failed meanwhile' : undefined, 1],
      ['after', undefined, 2],
    ])
  }
})
