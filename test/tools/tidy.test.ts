/**
 * Tests of tidy. Strategy: each rule is given a small repository that breaks it in one place and must say so there, and
 * one that comes close to breaking it and must pass. The tokenizer is tested through what it must not take for code.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lowerRatchet, type Ratchet } from '../../tools/tidy/rules.ts'
import { parseSource } from '../../tools/tidy/source.ts'
import { tokenize } from '../../tools/tidy/tokens.ts'
import { tidy } from '../../tools/tidy.ts'

const HEADER = '/**\n * What it is.\n */\n'
const NO_RATCHET: Ratchet = { files: {}, functions: {} }

/** Findings of a repository of these files, as `path:line: message`; source files get a header if they have none. */
function findings(files: Readonly<Record<string, string>>, ratchet: Ratchet = NO_RATCHET): string[] {
  return tidy(new Map(Object.entries(files)), ratchet).map(({ path, line, message }) => `${path}:${line}: ${message}`)
}

/** Findings of one source file that is otherwise in order: it has a header, and something imports it. */
function findingsIn(path: string, body: string): string[] {
  const user = 'test/user.test.ts'
  return findings({ [path]: `${HEADER}${body}\n`, [user]: `import '../${path}'\n` })
}

const caught: [rule: string, path: string, body: string, message: RegExp][] = [
  [
    'base imports nothing above it',
    'src/base/a.ts',
    "import { b } from '../env/b.ts'",
    /^src\/base\/a.ts:4: base must not/,
  ],
  ['siblings do not meet', 'src/memtable/a.ts', "import { b } from '../log/b.ts'", /memtable must not import/],
  ['a dynamic import counts', 'src/log/a.ts', "export const b = import('../db/b.ts')", /log must not import/],
  ['a type import counts', 'src/table/a.ts', "import type { b } from '../cache/b.ts'", /table must not import/],
  ['a re-export counts', 'src/env/a.ts', "export { b } from '../db/b.ts'", /env must not import/],
  ['inspect takes only types from db', 'src/inspect/a.ts', "import { b } from '../db/b.ts'", /inspect must not import/],
  [
    'the command line sees only the public face',
    'src/cli/a.ts',
    "import { b } from '../db/b.ts'",
    /cli must not import/,
  ],
  ['tests are no part of the engine', 'src/db/a.ts', "import { b } from '../../test/b.ts'", /db must not import/],
  ['node: is for the doors to the host', 'src/db/a.ts', "import { join } from 'node:path'", /node:path outside/],
  ['no runtime dependency', 'src/db/a.ts', "import { x } from 'commander'", /the package commander in src\/db/],
  ['Date.now', 'src/db/a.ts', 'const now = Date.now()', /Date.now outside env/],
  ['new Date', 'src/db/a.ts', 'const now = new Date()', /new Date outside env/],
  ['Math.random', 'src/db/a.ts', 'const r = Math.random()', /Math.random outside env/],
  ['timers', 'src/db/a.ts', 'setTimeout(f, 1)', /setTimeout outside env/],
  ['microtasks', 'src/db/a.ts', 'queueMicrotask(f)', /queueMicrotask outside env/],
  ['process', 'src/db/a.ts', 'process.nextTick(f)', /process outside env/],
  ['performance', 'src/db/a.ts', 'const t = performance.now()', /performance outside env/],
  ['console', 'src/db/a.ts', "console.log('x')", /console outside env/],
  ['Buffer', 'src/db/a.ts', 'const b = Buffer.alloc(1)', /Buffer outside env/],
  ['in a template', 'src/db/a.ts', 'const s = `a ${`b ${Date.now()}`} c`', /Date.now outside env/],
  ['async', 'src/db/a.ts', 'const f = async () => 1', /async outside the drivers/],
  ['await', 'src/table/a.ts', 'for await (const x of y) f(x)', /await outside the drivers/],
  ['then', 'src/db/a.ts', 'f().then(g)', /\.then\( outside the drivers/],
  ['public holds no logic', 'src/public/a.ts', 'export const a = 1', /const in public/],
  ['default exports', 'src/db/a.ts', 'export default 1', /a default export/],
  ['enums', 'src/db/a.ts', 'enum Colour { Red }', /enum Colour/],
  ['namespaces', 'src/db/a.ts', 'namespace Space { }', /namespace Space/],
  ['as any', 'src/db/a.ts', 'const x = y as any', /as any/],
  ['a promise to do it later', 'src/db/a.ts', `// ${'TO'}DO: later`, /without an RFC number/],
  ['compiler switched off', 'src/db/a.ts', `// @ts-${'ignore'}`, /@ts-ignore/],
]
for (const [rule, path, body, message] of caught) {
  test(`tidy catches: ${rule}`, () => {
    const found = findingsIn(path, body).filter((finding) => message.test(finding))
    assert.equal(found.length, 1, findingsIn(path, body).join('\n'))
  })
}

const passed: [what: string, path: string, body: string][] = [
  ['base from anywhere', 'src/memtable/a.ts', "import { b } from '../base/b.ts'"],
  ['types of db in inspect', 'src/inspect/a.ts', "import type { b } from '../db/b.ts'"],
  ['node: in env', 'src/env/a.ts', "import { join } from 'node:path'"],
  ['the module of a thread, named by a URL', 'src/env/a.ts', "f(new URL('../worker/w.js', import.meta.url))"],
  [
    'banned words in comments, strings and patterns',
    'src/db/a.ts',
    "// Date.now()\nf('await', /Math.random()/, `process`)",
  ],
  ['members that bear a banned name', 'src/db/a.ts', 'f(x.process, x?.console, { performance: 1 })'],
  ['promises as types', 'src/db/a.ts', 'interface Syncs { later(): Promise<void> }'],
  ['promises in the drivers', 'src/db/drivers.ts', 'const f = async () => await g()'],
  ['re-exports in public', 'src/public/a.ts', "export type { B } from '../db/b.ts'\nexport { b } from '../db/b.ts'"],
  ['a later with an RFC', 'src/db/a.ts', `// ${'TO'}DO: RFC 7 says when`],
]
for (const [what, path, body] of passed) {
  test(`tidy lets pass: ${what}`, () => assert.deepEqual(findingsIn(path, body), []))
}

test('tidy wants a header of two lines or more in every source file', () => {
  const user = { 'test/a.test.ts': "import '../src/db/a.ts'\n" }
  assert.match(findings({ 'src/db/a.ts': '/** One line. */\nf()\n', ...user })[0], /does not open with a header/)
  assert.match(findings({ 'src/db/a.ts': `f()\n${HEADER}`, ...user })[0], /does not open with a header/)
  assert.deepEqual(findings({ 'src/db/a.ts': `#!/usr/bin/env node\n${HEADER}f()\n`, ...user }), [])
})

function lines(count: number): string {
  return '  f()\n'.repeat(count)
}

test('tidy limits files, softly and hard', () => {
  const path = 'tools/a.ts'
  assert.deepEqual(findings({ [path]: lines(400) }), [])
  assert.deepEqual(findings({ [path]: lines(401) }), [`${path}:1: the file has 401 lines; 400 are allowed`])
  assert.deepEqual(findings({ [path]: lines(450) }, { files: { [path]: 450 }, functions: {} }), [])
  assert.match(findings({ [path]: lines(451) }, { files: { [path]: 450 }, functions: {} })[0], /451 lines; 450 are/)
  assert.match(
    findings({ [path]: lines(449) }, { files: { [path]: 450 }, functions: {} })[0],
    /the ratchet still allows 450/,
  )
  assert.match(findings({ [path]: lines(601) }, { files: { [path]: 650 }, functions: {} })[0], /no file may exceed 600/)
})

const heads: [name: string, head: string][] = [
  ['declared', 'function declared(a: number, b = f({})): void {'],
  ['generic', 'export function generic<T extends { a: 1 }>(x: T): { a: T; b: () => { c: 1 } } {'],
  ['arrow', 'const arrow = (a: number): number => {'],
  ['method', 'class A {\n  method(): Map<string, { a: number }> | undefined {'],
  ['constructor', 'class A {\n  constructor(private: number) {'],
  ['#hidden', 'class A {\n  static #hidden(a) {'],
  ['dispose', 'class A {\n  [Symbol.dispose](): void {'],
  ['anonymous', 'f(a, () => {'],
]
for (const [name, head] of heads) {
  test(`tidy measures functions written as: ${head.replace('\n', '')}`, () => {
    const close = `}\n${head.startsWith('class') ? '}\n' : ''}${head.startsWith('f(') ? ')\n' : ''}`
    const prefix = head.startsWith('class') ? 2 : 1
    assert.deepEqual(findings({ 'tools/a.ts': `${head}\n${lines(68)}${close}` }), [])
    const long = findings({ 'tools/a.ts': `${head}\n${lines(69)}${close}` })
    assert.deepEqual(long, [`tools/a.ts:${prefix}: ${name} has 71 lines; 70 are allowed`])
    const ratchet = { files: {}, functions: { [`tools/a.ts ${name}`]: 71 } }
    assert.deepEqual(findings({ 'tools/a.ts': `${head}\n${lines(69)}${close}` }, ratchet), [])
  })
}

test('calls, conditions and literals are not taken for functions', () => {
  const text = 'if (a(b)) {\n}\nfor (const x of y(z)) {\n}\nconst o = f(x) ? { a: 1 } : g(x)\nswitch (f(x)) {\n}\n'
  assert.deepEqual(parseSource('tools/a.ts', text).functions, [])
})

test('the ratchet can be lowered and not raised, and drops what is gone or short enough', () => {
  const sources = [parseSource('tools/a.ts', lines(420)), parseSource('tools/b.ts', lines(10))]
  const ratchet = { files: { 'tools/a.ts': 450, 'tools/b.ts': 450, 'tools/gone.ts': 500 }, functions: {} }
  assert.deepEqual(lowerRatchet(ratchet, sources), { files: { 'tools/a.ts': 420 }, functions: {} })
  assert.deepEqual(lowerRatchet({ files: { 'tools/a.ts': 410 }, functions: {} }, sources).files, { 'tools/a.ts': 410 })
  assert.match(findings({}, { files: { 'tools/gone.ts': 500 }, functions: {} })[0], /tools\/gone.ts does not exist/)
})

test('tidy finds source files that nothing imports, but not entries', () => {
  const files = { 'src/db/a.ts': `${HEADER}f()\n`, 'src/public/index.ts': HEADER, 'src/cli/main.ts': HEADER }
  assert.deepEqual(findings(files), ['src/db/a.ts:1: no file imports this one'])
})

test('tidy finds exports that nothing uses', () => {
  const body =
    'export function used(): void {}\nexport const unused = 1\nexport interface Shape {}\nconst s: Shape = {}\n'
  const source = { 'src/db/a.ts': `${HEADER}${body}` }
  const unused = ['src/db/a.ts:5: no file uses the export unused']
  assert.deepEqual(findings({ ...source, 'test/a.test.ts': "import { used } from '../src/db/a.ts'\n" }), unused)
  assert.deepEqual(findings({ ...source, 'test/a.test.ts': "import * as a from '../src/db/a.ts'\na.used()\n" }), unused)
  const user = "import { type Shape, unused as other, used } from '../src/db/a.ts'\n"
  assert.deepEqual(findings({ ...source, 'test/a.test.ts': user }), [])
})

test('tidy follows the links of Markdown files', () => {
  const text =
    '[a](docs/there.md#part) [b](docs) [c](https://x.test/y) [d](#here)\n`[e](code.md)`\n```\n[f](code.md)\n```\n'
  const files = { 'docs/there.md': '[up](../README.md)\n', 'README.md': text }
  assert.deepEqual(findings(files), [])
  const broken = findings({ ...files, 'README.md': '[a](docs/gone.md)\n[b]: gone.md\n' })
  assert.deepEqual(broken, [
    'README.md:1: the link to docs/gone.md leads nowhere',
    'README.md:2: the link to gone.md leads nowhere',
  ])
})

const words: [what: string, text: string, message: RegExp][] = [
  ['a registry', `https://registry.${'npmjs'}.org/x`, /a package registry/],
  ['a path of one machine', `see ${'/wor'}k/main/x`, /a path of one machine/],
  ['how the work was organised', `written by a ${'suba'}gent`, /how the work was organised/],
]
for (const [what, text, message] of words) {
  test(`tidy finds words that must not be committed: ${what}`, () => {
    assert.match(findings({ 'docs/a.txt': `first\n${text}\n` })[0], message)
  })
}

test('words that only resemble forbidden ones pass', () => {
  assert.deepEqual(findings({ 'docs/a.txt': 'network/paths, framework/x, registry.register(f), user agents\n' }), [])
})

test('the tokenizer tells division from regular expressions, and knows its line after a template', () => {
  const kinds = (text: string): string =>
    tokenize(text)
      .map(({ kind }) => kind)
      .join(' ')
  assert.equal(kinds('a / b / c'), 'word punctuation word punctuation word')
  assert.equal(kinds('f(/[/]"/g)'), 'word punctuation regex punctuation')
  assert.equal(kinds('return /a/'), 'word regex')
  assert.equal(kinds('`a${b}c`'), 'template word template')
  assert.equal(kinds("'it\\'s' // it's"), 'string comment')
  assert.equal(tokenize('`\n${a}\n`\nb').at(-1)?.line, 4)
})
