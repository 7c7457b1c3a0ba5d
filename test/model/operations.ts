/**
 * The operations of a model run, as plain data, and how fast-check makes them up. Values are made when a write runs, so that
 * no two are the same and a stale one is recognised.
 */
import fc from 'fast-check'
import type { Durability } from '../../src/base/types.ts'
import type { CrashKind, Range } from './history.ts'

/** `later` does not wait for the promise; the run goes on while the write is under way. */
export type How = 'sync' | 'await' | 'later'

/** Put a value of so many bytes, or delete if negative; with a second key, everything between the two. */
export type PlannedEdit = readonly [key: string, valueBytes: number, other?: string]

/** Operations that need no figures. */
export type Plain = 'snapshot' | 'settle' | 'flush' | 'reopen' | 'hold' | 'release'

export type Operation =
  | { readonly type: 'write'; readonly how: How; readonly edit: PlannedEdit; readonly durability?: Durability }
  | { readonly type: 'batch'; readonly how: How; readonly edits: PlannedEdit[]; readonly durability?: Durability }
  | { readonly type: 'fill'; readonly how: How; readonly writes: number; readonly valueBytes: number }
  | { readonly type: 'get'; readonly key: string; readonly isSync: boolean }
  | { readonly type: 'has'; readonly key: string; readonly isSync: boolean }
  | { readonly type: 'getMany'; readonly keys: string[]; readonly isSync: boolean }
  | { readonly type: 'scan'; readonly range: Range; readonly isSync: boolean; readonly which: number }
  | { readonly type: 'openScan'; readonly range: Range; readonly isSync: boolean }
  | { readonly type: 'stepScan'; readonly which: number; readonly count: number }
  | { readonly type: 'closeScan' | 'closeSnapshot'; readonly which: number }
  | { readonly type: Plain }
  | { readonly type: 'compact'; readonly from: string; readonly to: string; readonly isAwaited: boolean }
  | { readonly type: 'readSnapshot'; readonly which: number; readonly key: string }
  | { readonly type: 'turns'; readonly count: number }
  | { readonly type: 'pass'; readonly milliseconds: number }
  | { readonly type: 'crash' | 'crashSoon'; readonly kind: CrashKind; readonly seed: number; readonly calls: number }

const KEYS = [
  '',
  '\0',
  '\0\0',
  'a',
  'a\0',
  'aa',
  'b',
  'k\xfe',
  'k\xff',
  'k\xff\xff',
  '\xff',
  '\xff\xff',
  'z'.repeat(200),
]
for (let i = 0; i < 20; i++) KEYS.push(`key${i}`)

const key: fc.Arbitrary<string> = fc.constantFrom(...KEYS)
const how: fc.Arbitrary<How> = fc.constantFrom<How[]>('sync', 'await', 'later')
const valueBytes: fc.Arbitrary<number> = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 0, max: 60 }) },
  { weight: 4, arbitrary: fc.constant(-1) },
  { weight: 2, arbitrary: fc.integer({ min: 500, max: 9000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 15_000, max: 70_000 }) },
)
const SORTED = [...KEYS, 'fill', 'fill2', 'fill40', 'k', 'zz'].sort((a, b) => (a < b ? -1 : 1))
/** Most ranges are short, or a run would have nothing to read; some are empty. */
const rangeEdit: fc.Arbitrary<PlannedEdit> = fc
  .tuple(
    fc.nat({ max: SORTED.length - 1 }),
    fc.oneof(
      { weight: 5, arbitrary: fc.nat({ max: 4 }) },
      { weight: 1, arbitrary: fc.nat({ max: SORTED.length - 1 }) },
    ),
  )
  .map(([at, count]) => [SORTED[at], -1, SORTED[Math.min(at + count, SORTED.length - 1)]])
const edit: fc.Arbitrary<PlannedEdit> = fc.oneof(
  { weight: 10, arbitrary: fc.tuple(key, valueBytes) },
  { weight: 1, arbitrary: rangeEdit },
)
const everything: PlannedEdit = ['', -1, '\xff\xff\xff']
const isSync: fc.Arbitrary<boolean> = fc.boolean()
const which: fc.Arbitrary<number> = fc.nat({ max: 7 })
const durable = { durability: fc.constantFrom<Durability[]>('buffered', 'os', 'disk') }

const range: fc.Arbitrary<Range> = fc
  .tuple(
    fc.oneof(fc.constant({}), fc.record({ gte: key }), fc.record({ gt: key })),
    fc.oneof(fc.constant({}), fc.record({ lte: key }), fc.record({ lt: key })),
    fc.record({ reverse: fc.boolean(), limit: fc.nat({ max: 40 }) }, { requiredKeys: [] }),
  )
  .map(([lower, upper, rest]) => ({ ...lower, ...upper, ...rest }))

const crash = {
  kind: fc.constantFrom<CrashKind[]>('process', 'power'),
  seed: fc.nat(),
  calls: fc.nat({ max: 40 }),
}

function op<T extends Operation['type']>(type: T, model: object = {}): fc.Arbitrary<Operation> {
  return fc.record({ type: fc.constant(type), ...model }) as unknown as fc.Arbitrary<Operation>
}

const write = (type: 'write' | 'batch', model: object): fc.Arbitrary<Operation> =>
  fc.record(
    { type: fc.constant(type), how, ...durable, ...model },
    { requiredKeys: ['type', 'how', ...Object.keys(model)] as never[] },
  ) as unknown as fc.Arbitrary<Operation>

const WEIGHTED: readonly (readonly [number, fc.Arbitrary<Operation>])[] = [
  [30, write('write', { edit })],
  [1, write('write', { edit: fc.constant(everything) })],
  [14, write('batch', { edits: fc.array(edit, { maxLength: 8 }) })],
  [8, op('fill', { how, writes: fc.integer({ min: 1, max: 60 }), valueBytes: fc.integer({ min: 0, max: 500 }) })],
  [12, op('get', { key, isSync })],
  [4, op('has', { key, isSync })],
  [4, op('getMany', { keys: fc.array(key, { maxLength: 12 }), isSync })],
  [8, op('scan', { range, isSync, which })],
  [5, op('openScan', { range, isSync })],
  [10, op('stepScan', { which, count: fc.integer({ min: 1, max: 12 }) })],
  [1, op('closeScan', { which })],
  [4, op('snapshot')],
  [5, op('readSnapshot', { which, key })],
  [1, op('closeSnapshot', { which })],
  [4, op('settle')],
  [3, op('flush')],
  [3, op('compact', { from: key, to: key, isAwaited: fc.boolean() })],
  [5, op('turns', { count: fc.integer({ min: 1, max: 6 }) })],
  [3, op('pass', { milliseconds: fc.integer({ min: 1, max: 12 }) })],
  [3, op('hold')],
  [2, op('release')],
  [2, op('reopen')],
  [3, op('crash', crash)],
  [4, op('crashSoon', crash)],
]

export const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(...WEIGHTED.map(([weight, arbitrary]) => ({ weight, arbitrary }))),
  { minLength: 1, maxLength: 160, size: 'max' },
)
