/**
 * scan.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { open } from '../../src/public/index.ts'
import { CLI_PATH, runUnread, succeed, temporaryPath } from './run-cli.ts'

const CASES: readonly (readonly [args: string, keys: string])[] = [
  ['', 'a b ba bb c'],
  ['--prefix b', 'b ba bb'],
  ['--prefix x', ''],
  ['--prefix b --gt ba', 'bb'],
  ['--gte b --lt bb', 'b ba'],
  ['--gt b --lte bb', 'ba bb'],
  ['--reverse', 'c bb ba b a'],
  ['--prefix b --reverse --limit 2', 'bb ba'],
  ['--limit 0', ''],
  ['--hex --prefix 62', '62 6261 6262'],
]

test('a scan prints the keys of its range, in order', async (t) => {
  const directory = temporaryPath(t)
  const db = await open(directory)
  for (const key of ['c', 'bb', 'ba', 'b', 'a']) await db.put(key, `${key}!`)
  await db.close()
  for (const [args, keys] of CASES) {
    const options = args.split(' ').filter((arg) => arg !== '')
    const expected = keys === '' ? '' : keys.split(' ').join('\n') + '\n'
    assert.equal(succeed('scan', directory, '--keys', ...options), expected, args)
  }
  assert.equal(succeed('scan', directory, '--gte', 'bb'), 'bb\tbb!\nc\tc!\n')
  assert.equal(succeed('scan', directory, '--gte', 'bb', '--values'), 'bb!\nc!\n')
  assert.equal(succeed('scan', directory, '--gte', 'c', '--keys'), 'c\n')
})

test('what is not printable is printed as hex; a prefix of 0xff bytes has no end', async (t) => {
  const directory = temporaryPath(t)
  const db = await open(directory)
  await db.put(Uint8Array.of(0xff, 0xff), 'two\tfields')
  await db.put(Uint8Array.of(0xff), Uint8Array.of(0))
  await db.put(Uint8Array.of(0xfe, 0xff), 'before')
  await db.close()
  assert.equal(succeed('scan', directory, '--hex', '--prefix', 'ff'), 'ff\t00\nffff\t74776f096669656c6473\n')
  assert.equal(succeed('scan', directory), '0xfeff\tbefore\n0xff\t0x00\n0xffff\t0x74776f096669656c6473\n')
  assert.equal(succeed('scan', directory, '--hex', '--prefix', 'feff', '--keys'), 'feff\n')
})

test('a reader that goes away ends the scan without a word', async (t) => {
  const directory = temporaryPath(t)
  const db = await open(directory)
  for (let i = 0; i < 20_000; i++) db.putSync(`key${i}`, 'v'.repeat(100))
  await db.close()
  const { status, stderr } = await runUnread('scan', directory)
  assert.deepEqual([status, stderr], [0, ''])
})

test('a value of bytes is shown in memory that is in proportion to it', async (t) => {
  const directory = temporaryPath(t)
  const db = await open(directory, { workers: 0 })
  await db.put('k', new Uint8Array(4 * 2 ** 20).fill(0xff))
  await db.close()
  const args = ['--max-old-space-size=64', CLI_PATH, 'scan', directory, '--values']
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'latin1', maxBuffer: 2 ** 26 })
  assert.deepEqual([status, stdout.length], [0, 2 + 8 * 2 ** 20 + 1])
})

test('a scan beside a writer is of one state to its end, whatever is compacted away meanwhile', async (t) => {
  const directory = temporaryPath(t)
  const db = await open(directory, { maxFileBytes: 64 * 1024, compression: 'none' })
  const fill = async (letter: string) => {
    for (let i = 0; i < 2000; i++) await db.put(`key${String(i).padStart(4, '0')}`, letter.repeat(1000))
    await db.compactRange()
  }
  await fill('a')
  const before = readdirSync(directory).filter((name) => name.endsWith('.ldb'))
  assert.ok(before.length > 10)
  for (const command of [['scan', '--values'], ['export']]) {
    const child = spawn(process.execPath, [CLI_PATH, ...command, directory], { stdio: ['ignore', 'pipe', 'pipe'] })
    await once(child.stdout, 'readable')
    await fill('b')
    const [printed, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
    assert.equal(errors, '')
    assert.equal(printed.match(command[0] === 'scan' ? /^a{1000}$/gm : /"a{1000}"/g)?.length, 2000)
    await fill('a')
  }
  assert.deepEqual(
    readdirSync(directory).filter((name) => before.includes(name)),
    [],
  )
  await db.close()
})
