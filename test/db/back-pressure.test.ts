/**
 * How writes are slowed down: what the figures of the layers lead to, and how a rate becomes pauses.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backPressure, type Load, type LoadLimits, type Pressure } from '../../src/db/write/back-pressure.ts'
import { Pace } from '../../src/db/write/pace.ts'

const MIB = 1024 * 1024
const LIMITS: LoadLimits = {
  maxImmutableMemTables: 3,
  level0CompactionTrigger: 4,
  level0SlowdownTrigger: 12,
  level0StopTrigger: 24,
  levelBytes: 256 * MIB,
}
const IDLE: Load = { immutables: 0, level0Tables: 0, level0Bytes: 0, debtBytes: 0 }

const cases: readonly (readonly [what: string, load: Partial<Load>, expected: Partial<Pressure>])[] = [
  ['nothing', {}, { reason: undefined, isStop: false, bytesPerSecond: Infinity }],
  ['frozen MemTables below the limit', { immutables: 2 }, { reason: undefined, bytesPerSecond: Infinity }],
  ['as many as there may be', { immutables: 3 }, { reason: 'memtables', isStop: true, bytesPerSecond: Infinity }],
  ['level 0 below the slowdown', { level0Tables: 11 }, { reason: undefined }],
  ['at it', { level0Tables: 12 }, { reason: 'level0-tables', isStop: false, bytesPerSecond: 64 * MIB }],
  ['half way', { level0Tables: 18 }, { reason: 'level0-tables', isStop: false, bytesPerSecond: 8 * MIB }],
  ['at the stop', { level0Tables: 24 }, { reason: 'level0-tables', isStop: true, bytesPerSecond: MIB }],
  ['few large tables', { level0Tables: 3, level0Bytes: 4.5 * 256 * MIB }, { isStop: false, bytesPerSecond: 8 * MIB }],
  ['however large', { level0Tables: 3, level0Bytes: 1e15 }, { isStop: false, bytesPerSecond: MIB }],
  ['debt below the slowdown', { debtBytes: 4095 * MIB }, { reason: undefined }],
  [
    'debt half way',
    { debtBytes: 10 * 1024 * MIB },
    { reason: 'compaction-debt', isStop: false, bytesPerSecond: 8 * MIB },
  ],
  ['debt at the stop', { debtBytes: 16 * 1024 * MIB }, { reason: 'compaction-debt', isStop: true }],
  ['both, the worse one', { level0Tables: 13, debtBytes: 15e9 }, { reason: 'compaction-debt', isStop: false }],
  ['MemTables before all', { immutables: 9, level0Tables: 99, debtBytes: 1e15 }, { reason: 'memtables', isStop: true }],
]
for (const [what, load, expected] of cases) {
  test(`back-pressure of ${what}`, () => {
    const pressure = backPressure({ ...IDLE, ...load }, LIMITS)
    assert.deepEqual({ ...pressure, ...expected }, pressure)
  })
}

test('every further table slows writes by the same factor', () => {
  const rates = Array.from({ length: 12 }, (_, i) => backPressure({ ...IDLE, level0Tables: 12 + i }, LIMITS))
  for (let i = 1; i < rates.length; i++) {
    const factor = rates[i].bytesPerSecond / rates[i - 1].bytesPerSecond
    assert.ok(Math.abs(factor - 64 ** (-1 / 12)) < 1e-9, `step ${i}`)
  }
})

test('a trigger that is slowdown and stop at once stops', () => {
  const limits = { ...LIMITS, level0SlowdownTrigger: 4, level0StopTrigger: 4 }
  assert.equal(backPressure({ ...IDLE, level0Tables: 3 }, limits).reason, undefined)
  assert.equal(backPressure({ ...IDLE, level0Tables: 4 }, limits).isStop, true)
})

class TestClock {
  now = 1000
  wallMs(): number {
    return this.now
  }
  monotonicMs(): number {
    return this.now
  }
}

test('without a rate nothing is owed', () => {
  const pace = new Pace(new TestClock())
  pace.charge(1e9)
  assert.equal(pace.owedMs, 0)
})

test('small debts are saved up until they are worth a pause, and are then paid whole', () => {
  const clock = new TestClock()
  const pace = new Pace(clock)
  pace.set(MIB)
  const charges: number[] = []
  for (let i = 1; i <= 40; i++) {
    pace.charge(MIB / 10_000)
    if (pace.owedMs === 0) continue
    charges.push(i)
    clock.now += pace.owedMs
  }
  assert.deepEqual(charges, [20, 40])
})

test('a writer below the rate owes nothing', () => {
  const clock = new TestClock()
  const pace = new Pace(clock)
  pace.set(MIB)
  for (let i = 0; i < 100; i++) {
    pace.charge(MIB / 1000)
    clock.now += 1.5
    assert.equal(pace.owedMs, 0)
  }
})

test('one group is not paid for longer than a second, and a rate that rises forgives what is owed', () => {
  const pace = new Pace(new TestClock())
  pace.set(MIB)
  pace.charge(1000 * MIB)
  assert.equal(pace.owedMs, 1000)
  pace.set(2 * MIB)
  assert.equal(pace.owedMs, 0)
})
