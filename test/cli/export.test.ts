/**
 * export, and the way back through import.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type DB, open } from '../../src/public/index.ts'
import { run, runWith, succeed, temporaryPath } from './run-cli.ts'

const TEXTS: readonly (readonly [string, string])[] = [
  ['', 'empty key'],
  ['empty value', ''],
  ['json', '{"a":[1,"ü"]}'],
  ['lines', 'one\r\ntwo\n\tthree'],
  ['quote " and \\ slash', 'she said "hi"'],
  ['\ufeffmark', '\u2028\u0000'],
  ['東京', '🏔'],
]
const BYTES: readonly (readonly [Uint8Array, Uint8Array])[] = [
  [Uint8Array.of(0xff, 0), Uint8Array.from({ length: 256 }, (_, i) => i)],
  [Uint8Array.of(0xc3), new TextEncoder().encode('text under a key that is none')],
]

async function filled(t: TestContext, write: (db: DB) => Promise<void>): Promise<string> {
  const directory = temporaryPath(t)
  const db = await open(directory)
  await write(db)
  await db.close()
  return directory
}

async function contents(directory: string): Promise<string[]> {
  const db = await open(directory, { readOnly: true })
  const found: string[] = []
  for await (const [key, value] of db.scan()) {
    found.push(`${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`)
  }
  await db.close()
  return found
}

test('NDJSON has strings for UTF-8, and base64 for everything else', async (t) => {
  const directory = await filled(t, async (db) => {
    await db.put('a', '1')
    await db.put(Uint8Array.of(0xff), 'ü\n')
  })
  assert.equal(succeed('export', directory), '{"key":"a","value":"1"}\n{"key":{"base64":"/w=="},"value":"ü\\n"}\n')
  assert.equal(succeed('export', directory, '--hex'), '{"key":"61","value":"31"}\n{"key":"ff","value":"c3bc0a"}\n')
  assert.equal(succeed('export', directory, '--prefix', 'a', '--format', 'tsv'), 'key\tvalue\na\t1\n')
  assert.equal(
    succeed('export', directory, '--reverse', '--limit', '1', '--hex', '--format', 'tsv'),
    'key\tvalue\nff\tc3bc0a\n',
  )
})

for (const options of [[], ['--hex'], ['--format', 'tsv', '--hex']]) {
  test(`export ${options.join(' ')} is imported again without loss, whatever the bytes`, async (t) => {
    const directory = await filled(t, async (db) => {
      for (const [key, value] of [...TEXTS, ...BYTES]) await db.put(key, value)
    })
    const copy = temporaryPath(t)
    const { status, stderr } = runWith(succeed('export', directory, ...options), 'import', copy, ...options)
    assert.equal(status, 0, stderr)
    assert.deepEqual(await contents(copy), await contents(directory))
  })
}

test('export --format tsv is imported again without loss, whatever the text', async (t) => {
  const directory = await filled(t, async (db) => {
    for (const [key, value] of TEXTS) await db.put(key, value)
  })
  const copy = temporaryPath(t)
  const { status, stderr } = runWith(succeed('export', directory, '--format', 'tsv'), 'import', copy, '--format', 'tsv')
  assert.equal(status, 0, stderr)
  assert.deepEqual(await contents(copy), await contents(directory))
})

test('TSV cannot hold bytes that are not UTF-8, and says what can', async (t) => {
  const directory = await filled(t, (db) => db.put('k', Uint8Array.of(0xff)))
  const { status, stderr } = run('export', directory, '--format', 'tsv')
  assert.deepEqual([status, stderr], [3, 'varve: 0xff is not UTF-8: use --format ndjson, or --hex\n'])
  const long = await filled(t, (db) => db.put('k', new Uint8Array(100_000).fill(0xff)))
  assert.match(run('export', long, '--format', 'tsv').stderr, /^varve: 0x(ff){60}… \(100000 bytes\) is not UTF-8: use /)
})

test('base64 that is none is not taken for bytes', (t) => {
  const { status, stderr } = runWith('{"key":{"base64":"*"},"value":""}\n', 'import', temporaryPath(t))
  assert.equal(status, 3)
  assert.match(stderr, /^varve: line 1: there is no key and value as export writes them/)
})
