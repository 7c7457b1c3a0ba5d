/**
 * get, put, del, del-range.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run, succeed, temporaryPath } from './run-cli.ts'

test('what is put is got, until it is deleted', (t) => {
  const db = temporaryPath(t)
  assert.deepEqual(run('put', db, 'clé', 'välue\nof two lines'), { status: 0, stdout: '', stderr: '' })
  assert.equal(succeed('get', db, 'clé'), 'välue\nof two lines\n')
  assert.equal(succeed('get', db, 'clé', '--raw'), 'välue\nof two lines')
  succeed('put', db, 'clé', 'another', '--durability', 'disk')
  assert.equal(succeed('get', db, 'clé'), 'another\n')
  assert.deepEqual(run('del', db, 'clé'), { status: 0, stdout: '', stderr: '' })
  assert.deepEqual(run('get', db, 'clé'), { status: 1, stdout: '', stderr: `varve: there is no key clé in ${db}\n` })
})

test('keys and values may be empty, and may begin with a dash', (t) => {
  const db = temporaryPath(t)
  succeed('put', db, '', '')
  succeed('put', db, '--', '-key', '-value')
  assert.equal(succeed('get', db, ''), '\n')
  assert.equal(succeed('get', db, '--', '-key'), '-value\n')
})

test('with --hex any bytes can be written and read', (t) => {
  const db = temporaryPath(t)
  succeed('--hex', 'put', db, '00ff', '0xDEADBEEF')
  assert.equal(succeed('get', db, '0x00FF', '--hex'), 'deadbeef\n')
  assert.equal(run('get', db, '00ff').status, 1)
  succeed('del', '--hex', db, '00ff')
  assert.equal(run('get', '--hex', db, '00ff').status, 1)
})

test('a range is deleted up to its end, which stays', (t) => {
  const db = temporaryPath(t)
  for (const key of ['a', 'b', 'ba', 'c']) succeed('put', db, key, '1')
  assert.deepEqual(run('del-range', db, 'b', 'c'), { status: 0, stdout: '', stderr: '' })
  assert.equal(succeed('scan', db, '--keys'), 'a\nc\n')
  succeed('--hex', 'del-range', db, '61', '62', '--durability', 'disk')
  assert.equal(succeed('scan', db, '--keys'), 'c\n')
  const { status, stderr } = run('del-range', db, 'z', 'a')
  assert.match(stderr, /the start of deleteRange must not sort after its end/)
  assert.notEqual(status, 0)
  assert.notEqual(run('del-range', temporaryPath(t, 'none'), 'a', 'b').status, 0)
})

test('a prefix stands for the range of the keys that begin with it, where keys are deleted and compacted', (t) => {
  const db = temporaryPath(t)
  for (const key of ['user', 'user:1', 'user:2', 'user;']) succeed('put', db, key, '1')
  succeed('compact', db, '--prefix', 'user:')
  assert.equal(succeed('--hex', 'del-range', db, '--prefix', '757365723a'), '')
  assert.equal(succeed('scan', db, '--keys'), 'user\nuser;\n')
  const wrong: [RegExp, ...string[]][] = [
    [/give either <start> and <end>, or --prefix/, 'a', 'b', '--prefix', 'a'],
    [/give <start> and <end>, or --prefix/, 'a'],
    [/give <start> and <end>, or --prefix/],
    [/no key comes after all/, '--hex', '--prefix', 'ffff'],
  ]
  for (const [message, ...given] of wrong) {
    const { status, stderr } = run('del-range', db, ...given)
    assert.match(stderr, message)
    assert.notEqual(status, 0)
  }
  assert.equal(succeed('scan', db, '--keys'), 'user\nuser;\n')
})
