/**
 * The hot paths of the engine are watched by V8's own log: no function of a hot file is compiled and thrown away again and again,
 * and no place in it is megamorphic. That the guard notices both is shown on scripts that do it. Nothing is timed.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readV8Log } from '../../tools/deopt/v8-log.ts'
import { findingsOf, HOT_FILES, logsOf } from '../../tools/deopt-guard.ts'
import { repository } from '../support/paths.ts'

const BAD = 'test/support/deopt-samples.ts'
const ROUNDS = 16

describe('the guard against deoptimisation', () => {
  it('finds nothing in the hot files of the engine', () => {
    const logs = logsOf(repository('.build', 'tools', 'deopt', 'workload.js'))
    assert.deepEqual(findingsOf(logs, HOT_FILES), [])
    assert.deepEqual(
      logs.map(({ rounds }) => rounds),
      [ROUNDS],
    )
  })

  it('finds a loop of deoptimisations and a megamorphic place', () => {
    const messages = findingsOf(logsOf(repository('.build', 'test', 'support', 'deopt-samples.js')), [BAD]).map(
      ({ message }) => message.replace(/\d+ rounds: .*|line \d+ of the compiled file/, ''),
    )
    assert.deepEqual(messages.sort(), ['areaOf: megamorphic LoadIC of side, ', 'readAny: code thrown away in '])
  })

  it('finds a hot file that has gone', () => {
    assert.deepEqual(
      findingsOf([readV8Log('')], ['src/table/gone.ts']).map(({ file }) => file),
      ['src/table/gone.ts'],
    )
  })

  it('takes code for that which was compiled last at its address', () => {
    const created = (name: string): string =>
      `code-creation,JS,10,1,0x1000,64,${name} file:///r/.build/src/a.js:1:1,0x5,~`
    const missed = 'LoadIC,0x1010,2,7,3,P,N,0x9,size,,'
    const { megamorphic } = readV8Log([created('first'), created('second'), missed].join('\n'))
    assert.deepEqual(megamorphic, [{ file: 'src/a.ts', name: 'second', kind: 'LoadIC', line: 7, property: 'size' }])
  })
})
