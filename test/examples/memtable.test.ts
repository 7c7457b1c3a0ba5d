/**
 * The examples of the MemTable run, and show what they say they show.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { repository } from '../support/paths.ts'
import { printed } from './printed.ts'

const MAIN = repository('.build', 'examples', 'memtable', 'main.js')

/** What each prints, all of it; counts that depend on the machine or on the layout of memory are patterns. */
const EXPECTED: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  alone: [
    'pear: yellow, and as of write 2: green',
    'plum: tombstone, and as of write 2: blue',
    'fig: unknown',
    'apple: deleted',
    'apricot: deleted',
    'avocado: 7 letters',
    'banana: 6 letters',
    '← banana',
    '← avocado',
    '← apricot',
    '← apple',
    /^full: \d+ keys, \d+ versions, frozen: true$/,
  ],
  shared: [
    /^\d+ audits while 50000 transfers were written, up to number 100100: 0 wrong sums$/,
    /^\d+ audits while 50000 transfers were written, up to number 100100: 0 wrong sums$/,
    'the sum is still 100000',
  ],
  dumped: [
    '50 keys with 1001 versions: a dump of 1792 bytes',
    'read back: 50 keys, tombstone for sensor 7, same bytes: true',
    'without its last byte: refused, CORRUPTION',
  ],
}

describe('the examples of the MemTable', () => {
  for (const [name, lines] of Object.entries(EXPECTED)) {
    it(`run as they say: ${name}`, () => {
      const [title, ...told] = printed('memtable', name)
      assert.equal(title, `— ${name}`)
      assert.equal(told.length, lines.length, told.join('\n'))
      lines.forEach((line, i) => {
        if (typeof line === 'string') assert.equal(told[i], line)
        else assert.match(told[i], line)
      })
    })
  }

  it('refuse a name that is none of theirs', () => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'nothing'], { encoding: 'utf8' })
    assert.equal(status, 2)
    assert.match(stderr, /alone, shared, dumped/)
  })
})
