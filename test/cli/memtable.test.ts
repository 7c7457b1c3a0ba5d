/**
 * `varve memtable`: its commands, their output, and what it refuses.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { CLI_PATH, run, runWith, succeed, temporaryPath } from './run-cli.ts'

const GOLDEN = '4d4d54310200000005000000050000000' + '0616c706861666972737404000000000000000162657461'

function memtable(...args: string[]): string {
  return succeed('memtable', ...args)
}

test('the golden dump comes of its three writes', (t) => {
  const path = temporaryPath(t)
  assert.equal(memtable('new', path), '')
  assert.equal(readFileSync(path, 'hex'), '4d4d543100000000')
  assert.equal(memtable('put', path, 'alpha', 'first'), '')
  memtable('put', path, 'beta', 'second')
  assert.equal(memtable('del', path, 'beta'), '')
  assert.equal(readFileSync(path, 'hex'), GOLDEN)
  assert.equal(memtable('size', path), 'entries=2 size_bytes=40\n')
  assert.equal(memtable('iter', path), 'V 616c706861 6669727374\nT 62657461\n')
  assert.deepEqual(readdirSync(dirname(path)), ['data'], 'nothing else is left')
})

test('get tells a value, a tombstone and an absent key apart', (t) => {
  const path = temporaryPath(t)
  writeFileSync(path, Buffer.from(GOLDEN, 'hex'))
  memtable('put', path, '', '')
  assert.equal(memtable('get', path, 'alpha'), 'value: 6669727374\n')
  assert.equal(memtable('get', path, ''), 'value: \n')
  assert.equal(memtable('get', path, 'beta'), 'tombstone\n')
  assert.equal(memtable('get', path, 'gamma'), 'absent\n')
})

test('keys and values are UTF-8, or hex on demand', (t) => {
  const path = temporaryPath(t)
  memtable('new', path)
  memtable('put', path, 'clé', '✓')
  assert.equal(memtable('get', '--hex', path, '636cc3a9'), 'value: e29c93\n')
  memtable('--hex', 'put', path, '00ff', '80')
  assert.equal(memtable('iter', path), 'V 00ff 80\nV 636cc3a9 e29c93\n')
})

test('bulk makes the table if there is none, and adds to one that there is', (t) => {
  const path = temporaryPath(t)
  memtable('bulk', path, '12')
  assert.equal(memtable('size', path), `entries=12 size_bytes=${8 + 10 * 17 + 2 * 19}\n`)
  memtable('put', path, 'key3', 'changed')
  memtable('put', path, 'other', 'value')
  memtable('bulk', path, '20000')
  assert.equal(memtable('get', path, 'key3'), 'value: 76616c33\n')
  assert.equal(memtable('get', path, 'key19999'), `value: ${Buffer.from('val19999').toString('hex')}\n`)
  assert.match(memtable('size', path), /^entries=20001 /)
  memtable('bulk', path, '0')
  assert.match(memtable('size', path), /^entries=20001 /)
})

test('a damaged dump is refused with its offset, and stays as it is', (t) => {
  const path = temporaryPath(t)
  const damaged = Buffer.from(GOLDEN.slice(0, -2), 'hex')
  writeFileSync(path, damaged)
  const stderr = `varve: the dump ends before the end of entry 2 of 2 (${path} at byte 39)\n`
  for (const args of [['iter'], ['size'], ['get'], ['put'], ['del'], ['bulk']]) {
    const rest = { get: ['k'], put: ['k', 'v'], del: ['k'], bulk: ['1'] }[args[0]] ?? []
    assert.deepEqual(run('memtable', args[0], path, ...rest), { status: 3, stdout: '', stderr })
  }
  assert.deepEqual(readFileSync(path), damaged)
})

test('a file that is a link, or is private, stays so', (t) => {
  const path = temporaryPath(t)
  const link = temporaryPath(t, 'link')
  memtable('new', path)
  chmodSync(path, 0o600)
  symlinkSync(path, link)
  memtable('put', link, 'k', 'v')
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(memtable('get', path, 'k'), 'value: 76\n')
})

test('a key that looks like an option is a key after --', (t) => {
  const path = temporaryPath(t)
  memtable('new', path)
  memtable('put', path, '--', '-x', '--help')
  assert.equal(memtable('get', path, '--', '-x'), 'value: 2d2d68656c70\n')
})

test('what is no file is refused as a place for a dump, and stays what it was', {
  skip: process.platform === 'win32',
}, (t) => {
  const fifo = temporaryPath(t)
  execFileSync('mkfifo', [fifo])
  const directory = dirname(fifo)
  for (const [path, what] of [
    [fifo, 'is not a file'],
    [directory, 'is a directory'],
  ]) {
    assert.deepEqual(run('memtable', 'new', path), { status: 3, stdout: '', stderr: `varve: ${path} ${what}\n` })
  }
  assert.ok(lstatSync(fifo).isFIFO())
  assert.deepEqual(readdirSync(directory), ['data'], 'nothing else is left')
})

test('what is missing is not made, but by new and bulk', (t) => {
  const path = temporaryPath(t)
  assert.equal(run('memtable', 'put', path, 'k', 'v').status, 3)
  assert.equal(run('memtable', 'get', path, 'k').status, 3)
  assert.equal(existsSync(path), false)
  for (const args of [[], ['sort', path], ['put', path], ['bulk', path, 'many'], ['--hex', 'get', path, 'xyz']]) {
    assert.equal(run('memtable', ...args).status, 2, args.join(' '))
  }
})

test('a script runs many operations, and appends its dumps', (t) => {
  const path = temporaryPath(t)
  const script = [
    '# begin',
    'put 616c706861 6669727374',
    'del 62657461',
    '',
    'dump',
    'put - -',
    'get -',
    'get 62657461',
    'load 4d4d543100000000ff',
    'size',
    `load ${GOLDEN}`,
    'iter',
    'new',
    'get 616c706861',
    'dump',
  ]
  const { status, stdout, stderr } = runWith(`${script.join('\n')}\n`, 'memtable', 'script', path)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  assert.deepEqual(stdout.split('\n'), [
    '# begin',
    'dump 40',
    'value: ',
    'tombstone',
    'refused: there are bytes after the last entry (at byte 8)',
    'entries=3 size_bytes=49',
    'loaded 2',
    'V 616c706861 6669727374',
    'T 62657461',
    'absent',
    'dump 8',
    '',
  ])
  assert.equal(readFileSync(path, 'hex'), `${GOLDEN}4d4d543100000000`)
})

test('a script with a line that is no operation is refused there', (t) => {
  const path = temporaryPath(t)
  for (const line of ['fly', 'put 00', 'get 0', 'get xx', 'new 00', 'get 0x61', 'get AB', 'new\r', ' size']) {
    const { status, stderr } = runWith(`size\n${line}\n`, 'memtable', 'script', path)
    assert.equal(status, 2, stderr)
  }
})

test('comments of a script are copied byte by byte, and end with a line feed alone', (t) => {
  const script = Buffer.from('# \xff\r\n# a\rsize\n# \xe2\x80\xa8size\n', 'latin1')
  const args = [CLI_PATH, 'memtable', 'script', temporaryPath(t)]
  assert.deepEqual(spawnSync(process.execPath, args, { input: script }).stdout, script)
})

test('a file that is not there, a directory, and a place that cannot be written are told in plain words', (t) => {
  const path = temporaryPath(t)
  const directory = dirname(path)
  const missing = `varve: ${path} does not exist\n`
  for (const [args, stderr] of [
    [['get', path, 'a'], missing],
    [['put', path, 'a', 'b'], missing],
    [['iter', path], missing],
    [['size', directory], `varve: ${directory} is a directory\n`],
    [['script', `${path}/x`], `varve: cannot open ${path}/x: no such file or directory (ENOENT)\n`],
  ] as const) {
    const ran = runWith('dump\n', 'memtable', ...args)
    assert.deepEqual([ran.stderr, ran.status], [stderr, 3])
  }
})
