/**
 * import.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { readCsv } from '../../src/cli/csv.ts'
import { CLI_PATH, runWith, succeed, temporaryPath } from './run-cli.ts'

/** What a scan prints after an import of `input`. */
function imported(db: string, input: string | Uint8Array, ...args: string[]): string {
  const { status, stdout, stderr } = runWith(input, 'import', db, ...args)
  assert.equal(status, 0, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /^imported [\d,]+ records?, [\d.]+ (B|KiB|MiB) in [\d.]+ s \([\d,]+\/s\)(; skipped .*)?\n$/)
  return succeed('scan', db)
}

test('NDJSON: the key is made of fields, the value is the whole record as it stands there', (t) => {
  const input =
    '{"country":"LI", "name":"Vaduz","id":1,"loc":{"xy":[9.5,47.1]}}\n{"country":"IS","name":"Vík","id":2}\n'
  assert.equal(
    imported(temporaryPath(t), input, '--key', '{country}/{name}/{id}'),
    'IS/Vík/2\t{"country":"IS","name":"Vík","id":2}\n' +
      'LI/Vaduz/1\t{"country":"LI", "name":"Vaduz","id":1,"loc":{"xy":[9.5,47.1]}}\n',
  )
})

const TEMPLATES: readonly (readonly [key: string, value: string, expected: string])[] = [
  ['{a}', '{b}', 'x\tyes\n'],
  ['{a}', '{c.d.0}', 'x\t1.5\n'],
  ['{a}', '{c}', 'x\t{"d":[1.5,true]}\n'],
  ['{a}-{c.d.1}', 'constant', 'x-true\tconstant\n'],
  ['{{{a}}}', '}}{{', '{x}\t}{\n'],
  ['{e.f}', '{a}', 'dotted\tx\n'],
]

for (const [key, value, expected] of TEMPLATES) {
  test(`the templates ${key} and ${value} make ${JSON.stringify(expected)}`, (t) => {
    const input = '{"a":"x","b":"yes","c":{"d":[1.5,true]},"e.f":"dotted"}'
    assert.equal(imported(temporaryPath(t), input, '--key', key, '--value', value), expected)
  })
}

test('NDJSON: line ends, empty lines, a byte order mark and U+2028 do no harm', (t) => {
  const input = '\ufeff{"k":"1","v":"a"}\r\n\n  \n{"k":"2","v":"b\u2028c"}\n{"k":"3","v":"d"}'
  assert.equal(imported(temporaryPath(t), input, '--key', '{k}', '--value', '{v}'), '1\ta\n2\t0x62e280a863\n3\td\n')
})

test('CSV: quotes, separators and line breaks in fields', (t) => {
  const input = '\ufeffid,name,note\r\n1,"a, b","said ""no"""\r\n2,plain,"two\nlines"\r\n'
  const db = temporaryPath(t)
  imported(db, input, '--format', 'csv', '--key', '{id}')
  assert.equal(succeed('get', db, '1'), '{"id":"1","name":"a, b","note":"said \\"no\\""}\n')
  assert.equal(succeed('get', db, '2'), '{"id":"2","name":"plain","note":"two\\nlines"}\n')
})

test('CSV: a line ends as it does, whatever the first one ends with', (t) => {
  const db = temporaryPath(t)
  imported(db, 'id,name\n1,"a\r\nb"\r\n2,b\r\r\n3,c\n4,d', '--format', 'csv', '--key', '{id}', '--value', '{name}')
  assert.equal(succeed('export', db, '--format', 'tsv'), 'key\tvalue\n1\t"a\r\nb"\n2\tb\n3\tc\n4\td\n')
})

test('CSV: a line end that is cut by a chunk is one, wherever the cut is', async () => {
  const text = Buffer.from('k,v\r\n1,a\n2,"b\r\nc"\r\n\r\n3,d\r4,e')
  for (let cut = 0; cut <= text.length; cut++) {
    const found: unknown[] = []
    for await (const { fields } of readCsv(
      Readable.from([text.subarray(0, cut), text.subarray(cut)]),
      ',',
      assert.fail,
    )) {
      found.push(Object.values(fields as object).join())
    }
    assert.deepEqual(found, ['1,a', '2,b\r\nc', '3,d', '4,e'])
  }
})

test('CSV with two columns of one name is refused; columns without a name are not', (t) => {
  const db = temporaryPath(t)
  const { status, stderr } = runWith(
    'k,v,v\n1,a,b\n',
    'import',
    db,
    '--format',
    'csv',
    '--key',
    '{k}',
    '--skip-invalid',
  )
  assert.deepEqual([status, stderr], [3, 'varve: the header names the column v twice\n'])
  assert.equal(imported(db, 'k,v,,\n1,a,,\n', '--format', 'csv', '--key', '{k}', '--value', '{v}'), '1\ta\n')
})

test('numbers up to 2^53 are templates\u2019 text; larger ones, which two records would share, are not', (t) => {
  const input =
    '{"id":9007199254740991,"x":-0.25}\n{"id":12345678901234567891}\n{"id":1e400}\n{"id":[9007199254740993]}\n'
  const db = temporaryPath(t)
  assert.equal(
    imported(db, input, '--key', '{id}', '--skip-invalid'),
    '9007199254740991\t{"id":9007199254740991,"x":-0.25}\n',
  )
  const { status, stderr } = runWith(input, 'import', db, '--key', '{id}')
  assert.equal(status, 3)
  assert.match(
    stderr,
    /^varve: line 2: the number 12345678901234567000 is too large to be kept as it is: it has to be a/,
  )
})

test('TSV: quotes inside a field are ordinary characters; the format follows from the name of the file', (t) => {
  const db = temporaryPath(t)
  const file = temporaryPath(t, 'heights.tsv')
  writeFileSync(file, 'id\theight\n1\t5\'11"\n2\t"quoted\tfield"\n')
  assert.match(succeed('import', db, file, '--key', '{id}', '--value', '{height}'), /^$/)
  assert.equal(succeed('get', db, '1'), '5\'11"\n')
  assert.equal(succeed('get', db, '2'), 'quoted\tfield\n')
})

const FAULTS: readonly (readonly [name: string, format: string, input: string | Uint8Array, message: RegExp])[] = [
  [
    'a line that is no JSON',
    'ndjson',
    '{"k":1}\n{"k":2\n{"k":3}\n',
    /^varve: line 2: not JSON: .* \(imported before it: 1 record\)\n$/,
  ],
  [
    'a line that is not UTF-8',
    'ndjson',
    Buffer.from('{"k":1}\n{"k":"\xff"}\n{"k":3}\n', 'latin1'),
    /^varve: line 2: not UTF-8 /,
  ],
  ['a missing field', 'ndjson', '{"k":1}\n{"other":2}\n{"k":3}\n', /^varve: line 2: there is no field k \(/],
  ['a field that is null', 'ndjson', '{"k":1}\n\n{"k":null}\n{"k":3}\n', /^varve: line 3: there is no field k \(/],
  ['a record that is no object', 'ndjson', '{"k":1}\n7\n{"k":3}\n', /^varve: line 2: there is no field k \(/],
  [
    'a key that is too long',
    'ndjson',
    `{"k":1}\n{"k":"${'x'.repeat(70_000)}"}\n{"k":3}\n`,
    /^varve: line 2: key of 70000 bytes exceeds/,
  ],
  [
    'a record with too many fields',
    'csv',
    'k,v\n1,a\n2,b,c\n3,d\n',
    /^varve: line 3: .*columns length is 2, got 3 \(imported before it: 1 record\)\n$/,
  ],
]

for (const [name, format, input, message] of FAULTS) {
  test(`${name} stops the import at its line, after what comes before it; or is skipped and counted`, (t) => {
    const db = temporaryPath(t)
    const args = ['--format', format, '--key', '{k}', '--value', 'v']
    const { status, stdout, stderr } = runWith(input, 'import', db, ...args)
    assert.deepEqual([status, stdout], [3, ''])
    assert.match(stderr, message)
    assert.equal(succeed('scan', db, '--keys'), '1\n')
    const again = runWith(input, 'import', db, ...args, '--skip-invalid')
    assert.equal(again.status, 0)
    assert.match(again.stderr, /^imported 2 records, .*; skipped 1 invalid record\n$/)
    assert.equal(succeed('scan', db, '--keys'), '1\n3\n')
  })
}

const UNCLOSED: readonly (readonly [input: string, stderr: string])[] = [
  ['k,v\n1,a\n2,"b\n3,c\n4,d\n', 'line 3: .* the last 12 bytes cannot be read \\(imported before it: 1 record\\)'],
  [
    'k,v\n1,a\n\n1,b,c\n\n\n2,"b\n3,c\n',
    'line 7: .* the last 8 bytes cannot be read \\(imported before it: 1 record\\)',
  ],
  ['k,v\n1,"a\na"\n\n"2,b\n', 'line 5: .* the last 6 bytes cannot be read \\(imported before it: 1 record\\)'],
  ['k,v\n"', 'line 2: .* the last 1 byte cannot be read \\(imported before it: 0 records\\)'],
  ['k,"v\n1,a\n', 'line 1: .* the last 8 bytes cannot be read \\(imported before it: 0 records\\)'],
]

for (const [input, stderr] of UNCLOSED) {
  test(`a quote that is never closed ends the import, faults skipped or not: ${JSON.stringify(input)}`, (t) => {
    const args = ['--format', 'csv', '--key', '{k}', '--value', 'v', '--skip-invalid']
    const ended = runWith(input, 'import', temporaryPath(t), ...args)
    assert.equal(ended.status, 3)
    assert.match(ended.stderr, new RegExp(`^varve: ${stderr}\n$`))
  })
}

test('records that a quote takes which is closed too late are told by their lines', (t) => {
  const input = 'k,v\n1,a\n\n2,"b\n3,c\n4,d\n5,"e"\n6,f\n7,g,h\n8,i\n'
  const args = ['--format', 'csv', '--key', '{k}', '--value', 'v']
  const stopped = runWith(input, 'import', temporaryPath(t), ...args)
  assert.equal(stopped.status, 3)
  assert.match(stopped.stderr, /^varve: line 7: .* \(its record begins at line 4\) \(imported before it: 1 record\)\n$/)
  const db = temporaryPath(t)
  const { status, stderr } = runWith(input, 'import', db, ...args, '--skip-invalid')
  assert.equal(status, 0)
  assert.match(stderr, /^imported 3 records, .*; skipped 2 invalid records, of 5 lines\n$/)
  assert.equal(succeed('scan', db, '--keys'), '1\n6\n8\n')
})

test('a record with several faults is one record; its lines end where its last fault is', (t) => {
  const input = 'k,v\n1,x"y"z\n2,b\n3,"c"d"e\nf"g"\n4,d\n5,x"y"\n'
  const db = temporaryPath(t)
  const args = ['--format', 'csv', '--key', '{k}', '--value', 'v']
  const { status, stderr } = runWith(input, 'import', db, ...args, '--skip-invalid')
  assert.equal(status, 0)
  assert.match(stderr, /^imported 2 records, .*; skipped 3 invalid records, of 4 lines\n$/)
  assert.equal(succeed('scan', db, '--keys'), '2\n4\n')
})

test('a header that cannot be parsed ends the import, faults skipped or not: no record takes its place', (t) => {
  const args = ['--format', 'csv', '--key', '{1}', '--skip-invalid']
  const { status, stderr } = runWith('i"d,v\n1,2\n3,4\n', 'import', temporaryPath(t), ...args)
  assert.equal(status, 3)
  assert.match(stderr, /^varve: line 1: Invalid Opening Quote: .* \(imported before it: 0 records\)\n$/)
})

test('of faults, no more is kept in memory than of records', async () => {
  let lines = 0
  async function* source(): AsyncGenerator<Buffer> {
    yield Buffer.from('k,v\n')
    for (; lines < 100_000; lines += 100) yield Buffer.from('1,x"y\n'.repeat(100))
  }
  const records = readCsv(source(), ',', (fault) => {
    throw fault
  })
  await assert.rejects(async () => await records.next(), /line 2: Invalid Opening Quote/)
  assert.ok(lines < 50_000, `${lines} lines were read for the fault of the first`)
})

test('CSV that is not UTF-8 is refused', (t) => {
  const input = Buffer.from('k\n\xff\n', 'latin1')
  const { status, stderr } = runWith(
    input,
    'import',
    temporaryPath(t),
    '--format',
    'csv',
    '--key',
    '{k}',
    '--skip-invalid',
  )
  assert.deepEqual([status, stderr], [3, 'varve: the input is not UTF-8\n'])
})

test('without --key, records must be what export writes', (t) => {
  const { status, stderr } = runWith('{"name":"x"}\n', 'import', temporaryPath(t))
  assert.equal(status, 3)
  assert.match(
    stderr,
    /^varve: line 1: there is no key and value as export writes them; say with --key what to use as the key \(/,
  )
})

test('with --hex, the texts that templates make are hex', (t) => {
  const db = temporaryPath(t)
  imported(db, '{"k":"00ff","v":"0a"}\n', '--hex', '--key', '01{k}', '--value', '{v}')
  assert.equal(succeed('scan', db, '--hex'), '0100ff\t0a\n')
})

test('an input larger than the heap is imported, in batches', (t) => {
  const db = temporaryPath(t)
  const file = temporaryPath(t, 'large.ndjson')
  const filler = 'x'.repeat(4000)
  const lines = Array.from(
    { length: 15_000 },
    (_, i) => `{"id":"${String(i).padStart(6, '0')}","filler":"${filler}"}\n`,
  )
  writeFileSync(file, lines.join(''))
  const args = ['--max-old-space-size=32', CLI_PATH, 'import', db, file, '--key', '{id}', '--batch', '100']
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.match(stderr, /^imported 15,000 records, 57\.\d MiB /)
  assert.equal(succeed('scan', db, '--keys', '--reverse', '--limit', '1'), '014999\n')
})
