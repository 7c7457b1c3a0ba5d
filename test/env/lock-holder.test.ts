/** The line that names a lock's holder: what is written, and what is believed of what is read. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  describeHolder,
  describeProcess,
  formatHolder,
  holdsUnseen,
  isRunning,
  MAX_HOLDER_BYTES,
  mayHoldUnseen,
  parseHolder,
  thisProcess,
} from '../../src/env/lock-holder.ts'

const onLinux = { skip: process.platform !== 'linux' }

it('a holder is read back as it was written', () => {
  const holder = thisProcess('net:[4026531833]')
  assert.deepEqual(parseHolder(formatHolder(holder)), holder)
})

it('the line fits its bound, however long and odd the names are', () => {
  for (const name of ['\0'.repeat(500), '\u{1f512}'.repeat(500), '"'.repeat(500)]) {
    const line = formatHolder({ ...thisProcess('net:[4026531833]'), host: name, program: name })
    assert.ok(Buffer.byteLength(line) <= MAX_HOLDER_BYTES)
    assert.equal(parseHolder(line)?.pid, process.pid)
  }
})

const NOT_HOLDERS = [
  '',
  '{',
  'null',
  '1',
  '[]',
  '{}',
  '{"pid":"1"}',
  '{"pid":0}',
  '{"pid":-4}',
  '{"pid":1.5}',
  '{"pid":1e99}',
]
for (const text of NOT_HOLDERS) {
  it(`'${text}' names no holder`, () => {
    assert.equal(parseHolder(text), undefined)
  })
}

it('what is not as it should be is left empty, and control characters are not printed', () => {
  const holder = parseHolder(
    '{"pid":7,"host":{"toString":1},"program":"\\u001b[31mred\\n","since":5,"__proto__":{"boot":"x"}}',
  )
  assert.deepEqual(holder, {
    pid: 7,
    host: '',
    boot: '',
    started: '',
    numbers: '',
    network: '',
    since: '',
    program: '?[31mred?',
  })
})

it('only the very process that wrote the line counts as running', onLinux, () => {
  const holder = thisProcess('net:[1]')
  const cases: [Partial<typeof holder>, boolean][] = [
    [{}, true],
    [{ started: '1' }, false],
    [{ started: '' }, false],
    [{ boot: '' }, false],
    [{ boot: 'another' }, false],
    [{ numbers: 'pid:[1]' }, false],
    [{ pid: 2 ** 31 - 1 }, false],
  ]
  for (const [change, expected] of cases)
    assert.equal(isRunning({ ...holder, ...change }), expected, JSON.stringify(change))
})

it('a running holder counts where no socket speaks for it', onLinux, () => {
  const cases: [string, string, boolean][] = [
    ['net:[1]', 'net:[1]', false],
    ['net:[1]', 'net:[2]', true],
    ['', 'net:[1]', true],
    ['net:[1]', '', true],
    ['', '', true],
  ]
  for (const [theirs, ours, expected] of cases) {
    assert.equal(holdsUnseen(thisProcess(theirs), ours), expected, `${theirs} ${ours}`)
  }
})

it('a holder may run unseen if its line is of this boot, and its number of other processes', onLinux, () => {
  const holder = thisProcess('net:[1]')
  const numbers = 'pid:[1]'
  const cases: [Partial<typeof holder>, string, boolean][] = [
    [{ numbers }, 'net:[1]', false],
    [{ numbers }, 'net:[2]', true],
    [{ numbers }, '', true],
    [{ numbers, network: '' }, '', true],
    [{ numbers, boot: 'another' }, 'net:[2]', false],
    [{ started: '1' }, 'net:[2]', false],
  ]
  for (const [change, ours, expected] of cases)
    assert.equal(mayHoldUnseen({ ...holder, ...change }, ours), expected, JSON.stringify(change))
})

it('a holder is described by process, program, host if it is another, and time', () => {
  const holder = { ...thisProcess(''), program: 'node server.js', since: '2026-05-01T10:00:00.000Z' }
  const end = '(node server.js) since 2026-05-01T10:00:00.000Z'
  assert.equal(describeHolder(holder), `this process, process ${process.pid} ${end}`)
  assert.equal(
    describeHolder({ ...holder, pid: 4, host: 'box' }),
    'process 4 (node server.js) on box since 2026-05-01T10:00:00.000Z',
  )
  assert.equal(describeHolder({ ...holder, numbers: 'pid:[1]' }), `process ${process.pid} ${end}`)
  assert.equal(describeHolder({ ...holder, pid: 4, program: '', since: '' }), 'process 4')
})

it('a process of which only the number is known is described by program and by when it began', onLinux, () => {
  const pattern = /^this process, process \d+ \(.+\), which has run since (\S+)$/
  const [, start] = pattern.exec(describeProcess(process.pid)) ?? []
  // The kernel tells its boot to the second.
  assert.ok(Math.abs(Date.parse(start) - performance.timeOrigin) < 60_000, start)
  assert.match(describeProcess(1), /^process 1( \(.+\))?, which has run since \d{4}-/)
  assert.equal(describeProcess(-1), 'another process')
  assert.equal(describeProcess(2 ** 31 - 1), `process ${2 ** 31 - 1}`)
})
