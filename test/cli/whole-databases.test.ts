/**
 * verify, repair, checkpoint, backup, restore and destroy on the command line.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { open } from '../../src/public/index.ts'
import { added, BEGINNING, databaseOf, manifestOf } from '../admin/handmade.ts'
import { CLI_PATH, run, runUnread, succeed, temporaryPath } from './run-cli.ts'

/** Two tables of three entries each. */
async function made(directory: string): Promise<string> {
  const db = await open(directory, { workers: 0 })
  for (const key of ['apple', 'banana', 'cherry']) await db.put(key, 'red')
  await db.flush()
  for (const key of ['apple', 'date', 'elder']) await db.put(key, 'green')
  await db.close()
  return directory
}

function firstTable(directory: string): string {
  return readdirSync(directory).find((name) => name.endsWith('.ldb'))!
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path)
  bytes[offset] ^= 1
  writeFileSync(path, bytes)
}

test('verify says what there is, as text or JSON, and ends with 0 for a sound database', async (t) => {
  const directory = await made(temporaryPath(t))
  const text = succeed('verify', directory)
  assert.match(text, /^\d+\.ldb: table, level 0, \d+ B, 3 entries$/m)
  assert.match(text, /^sound: 6 entries in \d+ B$/m)
  const report = JSON.parse(succeed('verify', '--json', directory))
  assert.deepEqual([report.isDamaged, report.findings], [false, []])
})

test('verify names file, byte and kind of damage, and ends with 4', async (t) => {
  const directory = await made(temporaryPath(t))
  flip(join(directory, firstTable(directory)), 20)
  const { status, stdout, stderr } = run('verify', directory)
  assert.equal(status, 4)
  assert.match(stdout, /^\d+\.ldb: .*\n {2}damage at byte 0: a block fails its checksum$/m)
  assert.match(stderr, /^varve: .* is damaged in 1 place\n$/)
  assert.equal(run('verify', '--no-lock', directory).status, 4)
  assert.equal(JSON.parse(run('verify', '--json', directory).stdout).isDamaged, true)
})

test('verify of a database that is open says who has it, and what can be done', async (t) => {
  const directory = await made(temporaryPath(t))
  const db = await open(directory, { workers: 0 })
  const { status, stdout, stderr } = run('verify', directory)
  assert.deepEqual([status, stdout], [3, ''])
  assert.match(
    stderr,
    new RegExp(`^varve: .* is held by process ${process.pid} .*; close it there first, or, .* --no-lock\\n$`),
  )
  assert.match(succeed('verify', '--no-lock', directory), /^sound: 6 entries/m)
  await db.close()
})

test('verify where one may only read says how it can be done', { skip: process.platform === 'win32' }, async (t) => {
  const directory = await made(temporaryPath(t))
  for (const path of [dirname(directory), directory]) chmodSync(path, 0o755)
  for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o444)
  // The superuser may write.
  const program = `
    const [{ createProgram }, { Output }] = await Promise.all(process.argv.slice(1, 3).map((path) => import(path)))
    if (process.getuid() === 0) process.setuid(65534)
    const command = createProgram('0', new Output(process.stdout))
    await command.parseAsync(process.argv.slice(3), { from: 'user' }).catch((error) => console.log(error.message))`
  const modules = ['program.js', 'output.js'].map((name) => pathToFileURL(join(dirname(CLI_PATH), name)).href)
  const args = ['--input-type=module', '-e', program, ...modules, 'verify', directory]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.match(
    stdout,
    /^cannot open .*LOCK: permission denied \(EACCES\); where you may only read, .* --no-lock\n$/,
    stderr,
  )
  assert.match(spawnSync(process.execPath, [...args, '--no-lock'], { encoding: 'utf8' }).stdout, /^sound: 6 entries/m)
})

test('repair says what it would do, does it, and moves what it replaces to lost', async (t) => {
  const directory = await made(temporaryPath(t))
  assert.match(succeed('repair', directory), /^nothing to repair: \d+ entries in tables\n$/)
  const before = succeed('scan', directory)
  const [manifest] = readdirSync(directory).filter((name) => name.startsWith('MANIFEST'))
  rmSync(join(directory, 'CURRENT'))
  rmSync(join(directory, manifest))
  assert.equal(run('scan', directory).status, 3)
  const dry = succeed('repair', '--dry-run', directory)
  assert.match(dry, /^would repair /)
  assert.match(dry, /^levels: lost; sequence numbers decide/m)
  assert.ok(!existsSync(join(directory, 'CURRENT')))
  assert.match(succeed('repair', directory), /^repaired [\s\S]*^warning: /m)
  assert.equal(succeed('scan', directory), before)
  assert.equal(run('verify', directory).status, 0)
})

test('repair lists more of what is given up than a call takes arguments', (t) => {
  const directory = temporaryPath(t)
  mkdirSync(directory)
  const missing = Array.from({ length: 150_000 }, (_, i) => added(0, 1000 + i, 100, 'a', 'b').newFiles ?? [])
  for (const [name, bytes] of databaseOf(manifestOf(BEGINNING, { newFiles: missing.flat() }), {})) {
    writeFileSync(join(directory, name), bytes)
  }
  const { stdout } = spawnSync(process.execPath, [CLI_PATH, 'repair', '--dry-run', directory], {
    maxBuffer: 2 ** 26,
    encoding: 'utf8',
  })
  assert.equal(stdout.match(/^given up: /gm)?.length, missing.length)
})

test('repair lists what is given up, with the range of keys that it affects', async (t) => {
  const directory = await made(temporaryPath(t))
  const table = firstTable(directory)
  flip(join(directory, table), 20)
  const text = succeed('repair', directory)
  assert.match(text, /^given up: \d+\.ldb \d+ bytes at 0: a block fails its checksum; entries may be missing from /m)
  assert.match(text, /^ {2}\d+\.ldb: salvaged.*; now lost\/\d+\.ldb$/m)
  assert.ok(existsSync(join(directory, 'lost', table)))
  assert.equal(JSON.parse(succeed('repair', '--json', directory)).isNeeded, false)
})

test('a checkpoint and a restored backup hold the same entries', async (t) => {
  const directory = await made(temporaryPath(t))
  const entries = succeed('scan', directory)
  const copy = temporaryPath(t)
  succeed('checkpoint', directory, copy)
  assert.equal(succeed('scan', copy), entries)
  assert.equal(run('checkpoint', directory, copy).status, 3)
  const { stdout } = spawnSync(process.execPath, [CLI_PATH, 'backup', directory])
  const file = temporaryPath(t, 'data.backup')
  writeFileSync(file, stdout)
  const restored = temporaryPath(t)
  succeed('restore', file, restored)
  assert.equal(succeed('scan', restored), entries)
  const piped = temporaryPath(t)
  assert.equal(spawnSync(process.execPath, [CLI_PATH, 'restore', '-', piped], { input: stdout }).status, 0)
  assert.equal(succeed('scan', piped), entries)
})

test('a backup that is damaged, or of no database, is refused', async (t) => {
  const directory = await made(temporaryPath(t))
  const { stdout } = spawnSync(process.execPath, [CLI_PATH, 'backup', directory])
  const file = temporaryPath(t, 'data.backup')
  writeFileSync(file, stdout.subarray(0, -1))
  const target = temporaryPath(t)
  const { status, stderr } = run('restore', file, target)
  assert.equal(status, 3)
  assert.match(stderr, /^varve: the backup cannot be used: it ends too early \(at byte \d+\)\n$/)
  assert.equal(run('scan', target).status, 3)
  for (const [source, why] of [
    [join(target, 'none'), 'does not exist'],
    [directory, 'is a directory'],
  ]) {
    const untouched = temporaryPath(t)
    assert.deepEqual(run('restore', source, untouched), { status: 3, stdout: '', stderr: `varve: ${source} ${why}\n` })
    assert.equal(existsSync(untouched), false, 'nothing is made')
  }
  assert.equal(run('backup', temporaryPath(t)).status, 3)
})

test('compact frees what was overwritten, in all of a database or in a range', async (t) => {
  const directory = temporaryPath(t)
  const db = await open(directory, { compression: 'none', mergeAtRest: false })
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 100; i++) await db.put(`key${i}`, 'x'.repeat(1000))
    await db.flush()
  }
  await db.close()
  assert.match(
    run('compact', directory, 'x', 'y').stderr,
    /: \d tables?, [\d.]+ KiB; before, 2 tables, 20\d\.\d KiB\n$/,
  )
  const { status, stdout } = run('--hex', 'compact', directory, '00')
  assert.deepEqual([status, stdout], [0, ''])
  assert.match(run('compact', directory).stderr, /: 1 table, [\d.]+ KiB; before, 1 table, [\d.]+ KiB\n$/)
  assert.equal(succeed('scan', directory, '--keys').split('\n').length, 101)
  assert.equal(run('--hex', 'compact', directory, 'key').status, 2)
  assert.deepEqual(run('compact', directory, 'y', 'x'), {
    status: 2,
    stdout: '',
    stderr: 'varve: <start> must not sort after <end>\n',
  })
  const missing = temporaryPath(t)
  assert.deepEqual([run('compact', missing).status, existsSync(missing)], [3, false])
})

test('destroy asks for --yes, and leaves what is not the database’s', async (t) => {
  const directory = await made(temporaryPath(t))
  writeFileSync(join(directory, 'notes.txt'), 'mine')
  assert.equal(run('destroy', directory).status, 2)
  assert.ok(existsSync(join(directory, 'CURRENT')))
  succeed('destroy', '--yes', directory)
  assert.deepEqual(readdirSync(directory).sort(), ['LOCK', 'notes.txt'])
  assert.equal(run('destroy', '--yes', directory).status, 3)
})

test('a backup whose reader goes away has failed', async (t) => {
  const directory = temporaryPath(t)
  const db = await open(directory)
  for (let i = 0; i < 20_000; i++) db.putSync(`key${i}`, `${i}`.repeat(20))
  await db.close()
  const { status, stderr } = await runUnread('backup', directory)
  assert.deepEqual([status, stderr], [3, 'varve: the backup is incomplete: its reader has gone\n'])
})

test('a restore that is interrupted leaves nothing in the way of the next one', async (t) => {
  const directory = await made(temporaryPath(t))
  const backup = spawnSync(process.execPath, [CLI_PATH, 'backup', directory]).stdout
  const target = temporaryPath(t)
  const child = spawn(process.execPath, [CLI_PATH, 'restore', '-', target], { stdio: ['pipe', 'ignore', 'ignore'] })
  child.stdin.write(backup.subarray(0, backup.length - 1))
  while (!existsSync(target) || !readdirSync(target).some((name) => name.endsWith('.ldb'))) await sleep(10)
  child.kill('SIGINT')
  assert.deepEqual(await once(child, 'close'), [null, 'SIGINT'])
  assert.deepEqual(readdirSync(target), ['LOCK'])
  assert.equal(spawnSync(process.execPath, [CLI_PATH, 'restore', '-', target], { input: backup }).status, 0)
  assert.equal(succeed('export', target), succeed('export', directory))
})
