/** What a host took from a virtual machine, read from a /proc/stat that we know. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { jiffiesIn, StolenTime, tellStolen } from '../../bench/stolen-time.ts'

it('counts what ran, and what wanted to: neither the idle time nor that of guests, which is in user already', () => {
  const text = 'cpu  100 20 30 4000 500 6 7 80 90 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n'
  assert.deepEqual(jiffiesIn(text), { wanted: 100 + 20 + 30 + 6 + 7 + 80, stolen: 80 })
})

it('knows nothing where the line is another one', () => {
  for (const text of ['', 'cpu 1 2 3\n', 'intr 1 2 3 4 5 6 7 8\n']) assert.equal(jiffiesIn(text), undefined, text)
})

it('is a share, or is not known', () => {
  const share = new StolenTime().share()
  assert.ok(share === undefined || (share >= 0 && share <= 1), String(share))
})

it('is told in percent, or not at all', () => {
  assert.match(tellStolen(0.1234), /^, 12\.3 % /)
  assert.equal(tellStolen(undefined), '')
})
