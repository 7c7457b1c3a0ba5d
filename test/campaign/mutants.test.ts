/**
 * The list of mutants keeps up with the engine: each has its one place in what is compiled. That they are found is for T4.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { MUTANTS, mutate } from '../../campaign/mutants/mutants.ts'
import { repository } from '../support/paths.ts'

test('every mutant has its place in the engine, and changes it', () => {
  for (const mutant of MUTANTS) {
    const text = readFileSync(repository('.build', 'src', `${mutant.file}.js`), 'utf8')
    assert.notEqual(mutate(text, mutant), text, mutant.name)
  }
  assert.ok(new Set(MUTANTS.map(({ name }) => name)).size === MUTANTS.length && MUTANTS.length >= 30)
})

test('a mutant without a place, or with two, is refused', () => {
  const mutant = { name: 'm', file: 'f', find: 'a(b) c', replace: '' }
  assert.equal(mutate('x; a(b)\n   c; y', mutant), 'x; ; y')
  assert.throws(() => mutate('x', mutant), /0 places/)
  assert.throws(() => mutate('a(b) c a(b) c', mutant), /2 places/)
})
