/**
 * The command line as a whole: help, version, exit codes, what is not understood.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repository } from '../support/paths.ts'
import { run, succeed, temporaryPath } from './run-cli.ts'

test('--version prints the version of the package', () => {
  const { version } = JSON.parse(readFileSync(repository('package.json'), 'utf8'))
  assert.equal(succeed('--version'), `${version}\n`)
})

test('--help names every command and every exit code', () => {
  const help = succeed('--help')
  for (const command of ['get', 'put', 'del', 'scan', 'import', 'export', 'stats', 'dump']) {
    assert.match(help, new RegExp(`^  ${command} `, 'm'))
  }
  for (const code of [0, 1, 2, 3]) assert.match(help, new RegExp(`^  ${code}  `, 'm'))
  assert.match(succeed('help', 'scan'), /--prefix <key>/)
  assert.equal(succeed('help'), help)
  assert.match(succeed('memtable', 'help', 'bulk'), /^Usage: varve memtable bulk/)
})

const MISUSES: readonly (readonly [args: readonly string[], message: string])[] = [
  [['gte'], "varve: unknown command 'gte' (Did you mean get?)\n"],
  [['help', 'gte'], "varve: unknown command 'gte'\n"],
  [['memtable', 'help', 'gte'], "varve: unknown command 'gte'\n"],
  [['get', 'dir'], "varve: missing required argument 'key'\n"],
  [['get', 'dir', 'key', 'more'], "varve: too many arguments for 'get'. Expected 2 arguments but got 3.\n"],
  [['scan', 'dir', '--limt', '1'], "varve: unknown option '--limt' (Did you mean --limit?)\n"],
  [['get', 'dir', '-x'], "varve: unknown option '-x'; if it is a key or a value, put -- before it\n"],
  [
    ['scan', 'dir', '--limit', 'x'],
    "varve: option '--limit <n>' argument 'x' is invalid. It must be a whole number.\n",
  ],
  [['scan', 'dir', '--gte', 'b', '--gt', 'a'], "varve: option '--gte <key>' cannot be used with option '--gt <key>'\n"],
  [['scan', 'dir', '--lt', 'a', '--lte', 'b'], "varve: option '--lte <key>' cannot be used with option '--lt <key>'\n"],
  [['scan', 'dir', '--keys', '--values'], "varve: option '--keys' cannot be used with option '--values'\n"],
  [['get', 'dir', 'xyz', '--hex'], "varve: 'xyz' is not hex\n"],
  [['get', 'dir', '123', '--hex'], "varve: '123' is not hex\n"],
  // What Node makes of an argument with a byte of 0xff.
  [['get', 'dir', '\ufffd'], "varve: '\ufffd' is not UTF-8: give it as hex, with --hex\n"],
  [['scan', 'dir', '--hex', '--gte', 'zz'], "varve: 'zz' is not hex\n"],
  [['import', 'dir', '--value', '{a}'], 'varve: --value needs --key\n'],
  [['import', 'dir', '--key', '{a'], 'varve: the template {a has a lone or empty brace; write {{ for {\n'],
  [['import', 'dir', '--key', '{}'], 'varve: the template {} has a lone or empty brace; write {{ for {\n'],
  [['import', 'dir', '--key', 'id'], 'varve: the key of every record would be id: name a field, as in {id}\n'],
  [['import', 'dir', '--key', ''], 'varve: the key of every record would be empty: name a field, as in {id}\n'],
  [['import', 'dir', '--batch', '0'], "varve: option '--batch <n>' argument '0' is invalid. It must be at least 1.\n"],
]

for (const [args, message] of MISUSES) {
  test(`\`varve ${args.join(' ')}\` is refused with one line and exit code 2`, () => {
    assert.deepEqual(run(...args), { status: 2, stdout: '', stderr: message })
  })
}

test('without a command the help is printed to stderr, with exit code 2', () => {
  const { status, stdout, stderr } = run()
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /^Usage: varve/)
})

test('a command that fails says why in one line, with exit code 3, and creates nothing', (t) => {
  const missing = temporaryPath(t)
  const foreign = temporaryPath(t)
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'notes.txt'), 'mine')
  for (const args of [
    ['get', missing, 'k'],
    ['del', missing, 'k'],
    ['scan', missing],
    ['export', missing],
    ['stats', missing],
    ['dump', missing],
    ['dump', foreign],
    ['put', foreign, 'k', 'v'],
    ['import', missing, `${missing}.ndjson`],
  ]) {
    const { status, stdout, stderr } = run(...args)
    assert.deepEqual([status, stdout], [3, ''], args.join(' '))
    assert.match(stderr, /^varve: [^\n]+\n$/)
  }
  assert.match(run('stats', missing).stderr, /there is no database in/)
})
