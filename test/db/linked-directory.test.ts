/**
 * A directory that is named by a symbolic link: where it leads to a database or an empty place, it is as good as the place; where it
 * leads nowhere, everything says so, and makes nothing there.
 */
import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { destroy } from '../../src/admin/destroy.ts'
import { repair } from '../../src/admin/repair.ts'
import { verify } from '../../src/admin/verify.ts'
import { open } from '../../src/db/open.ts'
import { withDirectory } from '../compat/engines.ts'

const onPosix = { skip: process.platform === 'win32' && 'links need rights there' }

const CALLS: readonly (readonly [name: string, call: (directory: string) => Promise<unknown>])[] = [
  ['open', (directory) => open(directory)],
  ['open of what must exist', (directory) => open(directory, { createIfMissing: false })],
  ['open for reading only', (directory) => open(directory, { readOnly: true })],
  ['verify', (directory) => verify(directory)],
  ['verify without a lock', (directory) => verify(directory, { readOnly: true })],
  ['repair', (directory) => repair(directory)],
  ['destroy', (directory) => destroy(directory)],
]

for (const [name, call] of CALLS) {
  test(
    `${name} refuses a link that leads nowhere, or to no directory, and makes nothing at its end`,
    onPosix,
    async () => {
      await withDirectory(async (root) => {
        const [link, place] = [join(root, 'link'), join(root, 'place')]
        symlinkSync(place, link)
        await assert.rejects(call(link), {
          code: 'NOT_FOUND',
          message: `${link} is a symbolic link that leads nowhere`,
        })
        assert.equal(existsSync(place), false)
        writeFileSync(place, 'a file')
        await assert.rejects(call(link), { code: 'INVALID_ARGUMENT', message: `${link} does not lead to a directory` })
      })
    },
  )
}

test('a link to a directory is as good as the directory', onPosix, async () => {
  await withDirectory(async (root) => {
    const link = join(root, 'link')
    mkdirSync(join(root, 'place'))
    symlinkSync('place', link)
    const db = await open(link)
    await db.put('a', '1')
    await db.close()
    for (const readOnly of [false, true]) {
      const { isDamaged, entries, directory } = await verify(link, { readOnly })
      assert.deepEqual([isDamaged, entries, directory], [false, 1, link])
    }
    assert.equal((await repair(link)).isNeeded, false)
    await destroy(link)
    assert.equal(existsSync(join(root, 'place', 'CURRENT')), false)
    assert.ok(lstatSync(link).isSymbolicLink())
  })
})
