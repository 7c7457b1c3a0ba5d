/**
 * The pictures of the documentation are those of the structures as they are now: a change of a layout is a change of its
 * picture, made by `npm run pictures` and looked at.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { PICTURES } from '../../tools/pictures/pictures.ts'
import { repository } from '../support/paths.ts'

describe('the pictures in docs/pictures', () => {
  for (const [name, draw] of Object.entries(PICTURES)) {
    it(`show what is: ${name}`, () => {
      assert.equal(readFileSync(repository('docs', 'pictures', name), 'utf8'), draw())
    })
  }

  it('are all shown by docs/memtable.md', () => {
    const page = readFileSync(repository('docs', 'memtable.md'), 'utf8')
    const shown = Array.from(page.matchAll(/\(pictures\/([\w-]+\.svg)\)/g), ([, name]) => name)
    assert.deepEqual(shown.sort(), readdirSync(repository('docs', 'pictures')).sort())
  })
})
