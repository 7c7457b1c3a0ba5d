/**
 * What a database directory lets others see, and what varve touches: files for their owner alone, whatever the umask allows;
 * nothing outside of the directory; and nothing more than the directory under Node's permission model.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { open } from '../../src/db/open.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { DIRECTORY } from './directories.ts'

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url))
const USER = fileURLToPath(new URL('./directory-user.js', import.meta.url))
const outer = mkdtempSync(join(tmpdir(), 'varve-security-'))

after(() => rmSync(outer, { recursive: true, force: true }))

/** Run the program that uses a directory in all ways; its last line. */
function use(directory: string, nodeArguments: readonly string[] = [], umask: string = ''): string {
  const env = { ...process.env, NODE_OPTIONS: '' }
  const args = [...nodeArguments, USER, directory, umask]
  return execFileSync(process.execPath, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

/** Everything below a directory, as `mode name`. */
function modesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    const line = `${(lstatSync(path).mode & 0o777).toString(8)} ${entry.isDirectory() ? 'directory' : 'file'}`
    return entry.isDirectory() ? [line, ...modesBelow(path)] : [line]
  })
}

const isPosix = process.platform !== 'win32'

for (const umask of ['000', '022', '077']) {
  test(`with the umask ${umask}, files and directories are for their owner alone`, { skip: !isPosix }, () => {
    const base = join(outer, umask)
    mkdirSync(base)
    assert.equal(use(join(base, 'a', 'b'), [], umask), 'done')
    assert.deepEqual([...new Set(modesBelow(base))].sort(), ['600 file', '700 directory'])
  })
}

test('a directory that was there keeps its permissions', { skip: !isPosix }, () => {
  const directory = join(outer, 'mine')
  mkdirSync(directory)
  chmodSync(directory, 0o750)
  assert.equal(use(join(directory, 'data')), 'done')
  assert.equal(lstatSync(directory).mode & 0o777, 0o750)
})

const [major, minor] = process.versions.node.split('.').map(Number)
const PERMISSION =
  major > 23 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13)
    ? '--permission'
    : '--experimental-permission'

/** Some versions deny fsync to everybody under the permission model: there is no durability to be had then. */
const deniesSync = (): string | false => {
  const program = "const fs = require('fs'); fs.fsyncSync(fs.openSync(process.argv[1]))"
  const args = [PERMISSION, '--allow-fs-read=*', '-e', program, tmpdir()]
  return spawnSync(process.execPath, args).status === 0 ? false : `Node ${process.version} permits no fsync`
}

for (const threads of [true, false]) {
  test(`with access to its directory alone, and ${threads ? '' : 'no '}threads, a database does all that it does`, {
    skip: deniesSync(),
  }, () => {
    const directory = join(outer, `permitted-${threads}`)
    mkdirSync(directory)
    const args = [
      PERMISSION,
      `--allow-fs-read=${SOURCES}*`,
      `--allow-fs-read=${join(USER, '..')}/*`,
      `--allow-fs-read=${directory}/*`,
      `--allow-fs-write=${directory}/*`,
      ...(threads ? ['--allow-worker'] : []),
    ]
    assert.equal(use(directory, args), 'done')
    // That the model is at work: elsewhere it is refused.
    assert.throws(() => use(join(outer, 'elsewhere'), args))
  })
}

test('where Node permits no fsync, an opening says so, and makes no database', { skip: deniesSync() === false }, () => {
  const directory = join(outer, 'unsynced')
  mkdirSync(directory)
  const args = [PERMISSION, '--allow-fs-read=*', `--allow-fs-write=${directory}/*`, '--allow-worker']
  assert.throws(() => use(directory, args), /permission model denies fsync[\s\S]*NOT_SUPPORTED/)
  assert.deepEqual(modesBelow(directory), [])
})

test('where Node permits no fsync, a database that is there is read, and not changed', {
  skip: deniesSync() === false,
}, async () => {
  const directory = join(outer, 'read')
  const db = await open(directory)
  db.putSync('key', 'value')
  await db.close()
  const before = modesBelow(directory)
  const program = `const { destroy, open } = await import(process.argv[1])
    const db = await open(process.argv[2], { readOnly: true })
    console.log(new TextDecoder().decode(await db.get('key')))
    await db.close()
    for (const change of [open, destroy]) await change(process.argv[2]).catch((error) => console.log(error.code))`
  const args = [
    PERMISSION,
    '--no-warnings',
    '--allow-fs-read=*',
    `--allow-fs-write=${directory}/*`,
    '--input-type=module',
    '-e',
    program,
    join(SOURCES, 'public', 'index.js'),
    directory,
  ]
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } })
  assert.equal(output, 'value\nNOT_SUPPORTED\nNOT_SUPPORTED\n')
  assert.deepEqual(modesBelow(directory), before)
})

/** From now on, every path that the environment's files are given. */
function pathsOf(memory: MemoryEnvironment): Set<string> {
  const paths = new Set<string>()
  const value = new Proxy(memory.files, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        if (name !== 'join') for (const arg of args) if (typeof arg === 'string') paths.add(arg)
        return member.apply(target, args)
      }
    },
  })
  Object.defineProperty(memory, 'files', { value })
  return paths
}

const TRAPS = [
  undefined,
  '../outside\n',
  'MANIFEST-000002/../../../outside\n',
  '/outside\n',
  'MANIFEST-000002\n/outside\n',
]
for (const current of TRAPS) {
  test(`no path leaves the directory, with CURRENT ${current === undefined ? 'as it should be' : JSON.stringify(current)}`, async () => {
    const memory = new MemoryEnvironment()
    memory.write('/outside', new TextEncoder().encode('outside'))
    memory.files.makeDirectory(DIRECTORY)
    const paths = pathsOf(memory)
    const options = { workers: 0, writeBufferBytes: 16384, environment: memory } as const
    const db = await open(DIRECTORY, options)
    for (let i = 0; i < 200; i++) db.putSync(`../${i}`, '/'.repeat(400))
    await db.compactRange()
    await db.close()
    if (current !== undefined) memory.write(`${DIRECTORY}/CURRENT`, new TextEncoder().encode(current))
    const opening = open(DIRECTORY, options)
    if (current === undefined) await (await opening).close()
    else await assert.rejects(opening, { code: 'CORRUPTION', file: `${DIRECTORY}/CURRENT` })
    assert.deepEqual(
      [...paths].filter((path) => path !== DIRECTORY && !/^\/db\/[^/]+$/.test(path)),
      [],
    )
    assert.ok(paths.size > 10)
  })
}

test('a file of a name that no database gives is left alone', async () => {
  const directory = join(outer, 'foreign')
  const db = await open(directory)
  db.putSync('a', '1')
  await db.close()
  const names = [
    '000001.ldb.bak',
    '5.log',
    '000007.ldb~',
    '.hidden',
    'MANIFEST-1',
    '99999999999999999999.ldb',
    '000012.txt',
  ]
  for (const name of names) writeFileSync(join(directory, name), 'mine')
  await (await open(directory)).close()
  const left = new Set(readdirSync(directory))
  assert.deepEqual(
    names.filter((name) => !left.has(name)),
    [],
  )
})
