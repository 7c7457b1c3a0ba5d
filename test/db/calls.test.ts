/**
 * What a thread notes of its calls, so that whoever comes next knows whether the one before came to its end. A call that V8 has ended is
 * one that has begun, and does not end; that it is so in a whole database is for cut-off.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Calls, CHANGING, type Doing, NOTHING, READING } from '../../src/db/calls.ts'

/** Writes down what calls did when they were cut off, what the thread does whenever a look is asked for, and how often one is had. */
class Noted extends Calls {
  readonly cut: Doing[] = []
  readonly watched: Doing[] = []
  looks = 0

  constructor() {
    super()
    this.onCut = (doing) => this.cut.push(doing)
  }

  override watch(): void {
    this.watched.push(this.now)
    super.watch()
  }

  override check(): void {
    this.looks++
    super.check()
  }
}

const turn = (): Promise<void> => Promise.resolve()
const fail = (): never => {
  throw new Error('failed')
}

test('a call that comes to its end, however it does, was not cut off, and a change is watched from before it begins', async () => {
  const calls = new Noted()
  for (const doing of [READING, CHANGING] as const) {
    assert.equal(
      calls.during(doing, () => calls.now),
      doing,
    )
    assert.equal(calls.now, NOTHING)
    assert.throws(() => calls.during(doing, fail), /failed/)
    assert.equal(calls.now, NOTHING)
  }
  await turn()
  assert.deepEqual([calls.cut, calls.watched], [[], [NOTHING, NOTHING]])
})

test('a part of a call that changes more is a change, and what follows it is none', () => {
  const calls = new Noted()
  calls.during(READING, () => {
    assert.equal(
      calls.changing(() => calls.now),
      CHANGING,
    )
    assert.equal(calls.now, READING)
    assert.throws(() => calls.changing(fail), /failed/)
    assert.equal(calls.now, READING)
  })
  assert.deepEqual([calls.now, calls.watched], [NOTHING, [READING, READING]])
})

test('the next call notices that the one before was cut off, once, and again if it is cut off itself while it notices', () => {
  const calls = new Noted()
  for (const doing of [READING, CHANGING] as const) {
    calls.begin(doing)
    calls.begin(READING)
    assert.deepEqual([calls.cut.splice(0), calls.now], [[doing], READING])
    calls.now = NOTHING
    calls.begin(READING)
    assert.deepEqual(calls.cut, [])
    calls.now = NOTHING
  }
  const { onCut } = calls
  calls.begin(CHANGING)
  calls.onCut = fail
  assert.throws(() => calls.begin(READING), /failed/)
  calls.onCut = onCut
  calls.check()
  assert.deepEqual([calls.cut, calls.now], [[CHANGING], NOTHING])
})

test('a change that is cut off is noticed before the event loop turns, by one look however often it is watched', async () => {
  const calls = new Noted()
  calls.watch()
  calls.watch()
  calls.begin(CHANGING)
  await turn()
  assert.deepEqual([calls.cut, calls.now, calls.looks], [[CHANGING], NOTHING, 1])
  calls.watch()
  await turn()
  assert.deepEqual([calls.cut, calls.looks], [[CHANGING], 2])
})

test('where the stack ends before a look could be asked for, the next one asks', async () => {
  const calls = new Noted()
  const { afterThisTurn } = calls
  calls.afterThisTurn = fail
  assert.throws(() => calls.watch(), /failed/)
  calls.afterThisTurn = afterThisTurn
  calls.watch()
  await turn()
  assert.equal(calls.looks, 1)
})

test('what happens in a call is told in its order once no call is under way, and whoever is told may call', () => {
  const calls = new Noted()
  const told: string[] = []
  const tell = (what: string) => (): void => void told.push(`${what} ${calls.now}`)
  calls.afterwards(tell('at once'))
  calls.during(READING, () => {
    calls.changing(() => {
      calls.afterwards(() => {
        tell('first')()
        calls.during(READING, () => calls.afterwards(tell('fourth')))
        tell('last')()
      })
      calls.afterwards(tell('second'))
    })
    calls.afterwards(tell('third'))
    assert.deepEqual(told, [`at once ${NOTHING}`])
  })
  assert.deepEqual(
    told,
    ['at once', 'first', 'second', 'third', 'fourth', 'last'].map((what) => `${what} ${NOTHING}`),
  )
})

test('what happens outside of calls in a change that nobody asked for is told when that has ended', () => {
  const calls = new Noted()
  let isTold = false
  calls.changing(() => {
    calls.afterwards(() => {
      isTold = true
    })
    assert.equal(isTold, false)
  })
  assert.equal(isTold, true)
})

test('what happened in a call that was cut off is told all the same, though nobody calls', async () => {
  const calls = new Noted()
  let isTold = false
  calls.begin(READING)
  calls.afterwards(() => {
    isTold = true
  })
  await turn()
  assert.deepEqual([calls.cut, isTold], [[READING], true])
})

test('a listener at whom the stack ends is told once more, by whoever comes next, and those behind it after it', () => {
  const all = ['first', 'second', 'third']
  for (const [i, short] of all.entries()) {
    const calls = new Noted()
    const told: string[] = []
    let isShort = true
    calls.begin(READING)
    for (const what of all) {
      calls.afterwards(() => {
        if (isShort && what === short) fail()
        told.push(what)
      })
    }
    calls.now = NOTHING
    assert.throws(() => calls.tellUntold(), /failed/)
    assert.deepEqual(told, all.slice(0, i))
    isShort = false
    calls.check()
    calls.check()
    assert.deepEqual(told, all)
  }
})

test('a listener that fails after it has called, by which all were told, is not told again, and others are', () => {
  const calls = new Noted()
  const told: string[] = []
  assert.throws(
    () =>
      calls.afterwards(() => {
        told.push('first')
        calls.during(READING, () => {})
        fail()
      }),
    /failed/,
  )
  calls.afterwards(() => told.push('second'))
  calls.check()
  assert.deepEqual(told, ['first', 'second'])
})
