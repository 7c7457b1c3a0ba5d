/** Tests of the datadriven runner: what its own transcript says, and that it can fail, rewrite and refuse. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Command, parseDatadriven, rewriteDatadriven, runDatadriven } from './datadriven.ts'
import { testdata } from './paths.ts'

function handler(): (command: Command) => string {
  let count = 0
  return (command) => {
    switch (command.name) {
      case 'echo':
        return command.input
      case 'args':
        return command.keys.map((key) => [key, ...listed(command, key)].join('=')).join('\n')
      case 'count':
        return String(++count)
      default:
        return command.unknown()
    }
  }
}

function listed(command: Command, key: string): string[] {
  const values = command.list(key)
  return values.length === 0 ? [] : [values.join('|')]
}

/** Run `body` with VARVE_REWRITE as given, and the former value after it. */
function rewriting(value: '0' | '1', body: () => void): void {
  const former = process.env.VARVE_REWRITE
  process.env.VARVE_REWRITE = value
  try {
    body()
  } finally {
    if (former === undefined) delete process.env.VARVE_REWRITE
    else process.env.VARVE_REWRITE = former
  }
}

function scratchFile(text: string, body: (path: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'varve-datadriven-'))
  try {
    const path = join(directory, 'transcript')
    writeFileSync(path, text)
    body(path)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('a transcript that answers as expected passes', () => {
  runDatadriven(testdata('support/datadriven'), handler())
})

test('a rewrite of a transcript that holds changes nothing', () => {
  const text = readFileSync(testdata('support/datadriven'), 'utf8')
  assert.equal(rewriteDatadriven(parseDatadriven(text, 'datadriven'), handler()), text)
})

test('another answer fails, and says the file, the line and the difference', () => {
  scratchFile('# comment\n\necho\none\n----\ntwo\n', (path) => {
    rewriting('0', () => {
      assert.throws(
        () => runDatadriven(path, handler()),
        (error: Error) => {
          assert.match(error.message, /transcript:3: echo answers otherwise/)
          assert.match(error.message, /one[\s\S]*two/)
          return error instanceof assert.AssertionError
        },
      )
    })
  })
})

test('rewriting puts the answers into the file, and keeps comments and input', () => {
  scratchFile('# kept\n\necho\na\n\nb\n----\nwrong\n\ncount\n----\n', (path) => {
    rewriting('1', () => runDatadriven(path, handler()))
    const expected = '# kept\n\necho\na\n\nb\n----\n----\na\n\nb\n----\n----\n\ncount\n----\n1\n'
    assert.equal(readFileSync(path, 'utf8'), expected)
    rewriting('0', () => runDatadriven(path, handler()))
  })
})

test('an error in a handler names the command that met it', () => {
  const parts = parseDatadriven('echo\n----\n\nfly\n----\n', 'file')
  assert.throws(() => rewriteDatadriven(parts, handler()), /file:4: fly threw: Error: file:4: no command is called fly/)
})

const refused: [what: string, text: string, message: RegExp][] = [
  ['a command without ----', 'echo\none\n', /file:1: no ----/],
  ['double separators that do not close', 'echo\n----\n----\na\n\nb\n', /file:1: a second pair/],
  ['an argument given twice', 'echo a=1 a=2\n----\n', /file:1: a is given twice/],
]
for (const [what, text, message] of refused) {
  test(`the parser refuses ${what}`, () => {
    assert.throws(() => parseDatadriven(text, 'file'), message)
  })
}

test('arguments are read as text, numbers and lists, and an absent one is an error unless it has a fallback', () => {
  const [part] = parseDatadriven('open bytes=4096 name=a\n----\n', 'file')
  assert.ok(typeof part !== 'string')
  const { command } = part
  assert.equal(command.number('bytes'), 4096)
  assert.equal(command.number('count', 3), 3)
  assert.equal(command.text('name'), 'a')
  assert.ok(command.has('name') && !command.has('count'))
  assert.throws(() => command.text('absent'), /file:1: open needs absent=…/)
  assert.throws(() => command.number('name'), /name=a is not a number/)
})
