/**
 * Repairs of directories in which something that is no file has a database file's name: what a careless copy, a lost disk or another
 * program leaves behind.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repair } from '../../src/admin/repair.ts'
import type { RepairReport } from '../../src/admin/repair-report.ts'
import { open } from '../../src/db/open.ts'
import { withDirectory } from '../compat/engines.ts'
import { entriesOf } from '../db/directories.ts'

const KINDS: readonly [what: string, make: (path: string) => void][] = [
  ['a pipe', (path) => execFileSync('mkfifo', [path])],
  ['a directory', (path) => mkdirSync(join(path, 'with', 'content'), { recursive: true })],
]

/** In the deepest level and in level 0, and in the log, one key each. */
async function fill(directory: string, killed: string): Promise<void> {
  const db = await open(directory, { workers: 0, mergeAtRest: false })
  await db.put('a', '1')
  await db.compactRange()
  await db.put('b', '2')
  await db.flush()
  await db.put('c', '3')
  // In a container, a part of the lock is left, which cannot be copied.
  cpSync(directory, killed, { recursive: true, filter: (path) => !path.endsWith('.socket') })
  await db.close()
}

const TABLES = /\.ldb$/
const CASES: readonly [what: string, name: RegExp, left: string][] = [
  ['its first table', TABLES, 'b=2 c=3'],
  ['its log', /\.log$/, 'a=1 b=2'],
  ['CURRENT', /^CURRENT$/, 'a=1 b=2 c=3'],
  ['its MANIFEST', /^MANIFEST/, 'a=1 b=2 c=3'],
]

function told({ isNeeded, givenUp, warnings }: RepairReport, name: string): unknown[] {
  return [
    isNeeded,
    givenUp.length,
    warnings[0],
    warnings.some((warning) => warning.startsWith(`${name} is not a file`)),
  ]
}

const skip = process.platform === 'win32'

for (const [kind, make] of KINDS) {
  for (const [what, pattern, left] of CASES) {
    test(`${kind} in place of ${what} is told, moved to lost/, and the rest is kept`, { skip }, async () => {
      await withDirectory(async (root) => {
        const directory = join(root, 'killed')
        await fill(join(root, 'data'), directory)
        const name = readdirSync(directory)
          .sort()
          .find((each) => pattern.test(each))!
        rmSync(join(directory, name))
        make(join(directory, name))
        const before = readdirSync(directory)
        const dry = await repair(directory, { dryRun: true })
        assert.deepEqual(readdirSync(directory), before)
        const report = await repair(directory)
        assert.deepEqual(told(dry, name), told(report, name))
        assert.deepEqual(told(report, name).slice(0, 2), [true, 1])
        assert.equal(report.warnings[0], `${name} is not a file, and there is nothing to be read of it`)
        assert.equal(report.files.find((file) => file.name === name)?.movedTo, `lost/${name}`)
        assert.ok(readdirSync(join(directory, 'lost')).includes(name))
        assert.equal((await repair(directory)).isNeeded, false)
        const db = await open(directory, { workers: 0 })
        assert.equal(entriesOf(db).join(' '), left)
        await db.close()
      })
    })
  }

  test(`${kind} with the name of a log to come, or of a table that nobody names`, { skip }, async () => {
    await withDirectory(async (root) => {
      const directory = join(root, 'killed')
      await fill(join(root, 'data'), directory)
      make(join(directory, '000099.ldb'))
      const sound = await repair(directory)
      assert.deepEqual(told(sound, '000099.ldb'), [false, 0, sound.warnings[0], true])
      make(join(directory, '000100.log'))
      const report = await repair(directory)
      assert.deepEqual(
        report.givenUp.map(({ file, reason }) => `${file}: ${reason}`),
        ['000100.log: not a file'],
      )
      const lost = readdirSync(join(directory, 'lost'))
      assert.ok(lost.includes('000099.ldb') && lost.includes('000100.log'))
      const db = await open(directory, { workers: 0 })
      assert.equal(entriesOf(db).join(' '), 'a=1 b=2 c=3')
      await db.close()
    })
  })
}

for (const [what, target] of [
  ['to the file', 'elsewhere.ldb'],
  ['to nothing: a disk may not be mounted', 'nowhere'],
]) {
  test(`a link is none of these, ${what}: the repair is refused, and changes nothing`, { skip }, async () => {
    await withDirectory(async (root) => {
      const directory = join(root, 'killed')
      await fill(join(root, 'data'), directory)
      const name = readdirSync(directory).find((each) => TABLES.test(each))!
      copyFileSync(join(directory, name), join(root, 'elsewhere.ldb'))
      rmSync(join(directory, name))
      symlinkSync(join(root, target), join(directory, name))
      const before = readdirSync(directory)
      await assert.rejects(repair(directory), { code: 'IO_ERROR', message: /symbolic link/ })
      assert.deepEqual(readdirSync(directory), before)
    })
  })
}
