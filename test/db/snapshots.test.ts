/**
 * The list of open snapshots: which is the oldest, and who is told when it goes.
 */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import fc from 'fast-check'
import { type SequenceNumber, sequenceNumber } from '../../src/base/types.ts'
import { type Snapshot, SnapshotList } from '../../src/db/snapshot.ts'

test('the oldest snapshot of all threads is known, and its going is told, in whatever order they are closed', () => {
  const ops = fc.array(fc.oneof(fc.constant('take'), fc.nat(20)), { maxLength: 60 })
  const others = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 2 })
  fc.assert(
    fc.property(ops, others, (steps, elsewhere) => {
      let told = 0
      const list = new SnapshotList(
        () => told++,
        () => elsewhere as SequenceNumber[],
      )
      const open: Snapshot[] = []
      const oldest = (): number => Math.min(...open.map(({ sequence }) => sequence), ...elsewhere)
      let sequence = 1
      for (const step of steps) {
        const before = oldest()
        told = 0
        if (step === 'take') open.push(list.create(sequenceNumber(sequence)))
        else open.splice(Number(step) % Math.max(1, open.length), 1)[0]?.close()
        sequence += open.length % 2
        assert.equal(list.oldest ?? Number.POSITIVE_INFINITY, oldest())
        if (step !== 'take') assert.equal(told, oldest() > before ? 1 : 0)
      }
    }),
  )
})

test('letting go of many snapshots looks at few of the others each time', () => {
  const list = new SnapshotList()
  const count = 1000
  let looks = 0
  const snapshots = Array.from({ length: count }, (_, i) => {
    const taken = list.create(sequenceNumber(i + 1))
    Object.defineProperty(taken, 'sequence', { get: () => ++looks && i + 1 })
    return taken
  })
  for (const snapshot of snapshots) snapshot.close()
  assert.equal(list.count, 0)
  assert.ok(looks < 10 * count, `${looks} looks`)
})

test('letting go of many snapshots, oldest first, begins no walk over those that are gone each time', (context) => {
  const list = new SnapshotList()
  const count = 1000
  const snapshots = Array.from({ length: count }, (_, i) => list.create(sequenceNumber(i + 1)))
  // A walk that begins at the front of a Set or Map goes over the entries that were deleted there.
  const walks = [Set.prototype, Map.prototype].map((prototype) => context.mock.method(prototype, 'values'))
  for (const snapshot of snapshots) snapshot.close()
  const begun = walks.reduce((sum, { mock }) => sum + mock.callCount(), 0)
  assert.ok(begun < count / 10, `${begun} walks`)
})

test('what the snapshots of all threads read at is told in ascending order, each once', () => {
  const list = new SnapshotList(undefined, () => [5, 3, 8].map(sequenceNumber))
  const own = [3, 3, 6, 20].map((sequence) => list.create(sequenceNumber(sequence)))
  assert.deepEqual([list.sequences, list.oldest, list.count], [[3, 5, 6, 8, 20], 3, 7])
  own[0].close()
  assert.deepEqual(list.sequences, [3, 5, 6, 8, 20])
  list.closeAll()
  assert.deepEqual([list.sequences, list.count], [[3, 5, 8], 3])
  assert.throws(() => own[3].sequenceFor(list), { code: 'CLOSED' })
})

test('a snapshot is of one database, and of none once it is closed', () => {
  const [list, other] = [new SnapshotList(), new SnapshotList()]
  const snapshot = list.create(sequenceNumber(7))
  assert.equal(snapshot.sequenceFor(list), 7)
  assert.throws(() => snapshot.sequenceFor(other), { code: 'CLOSED' })
  snapshot[Symbol.dispose]()
  assert.throws(() => snapshot.sequenceFor(list), { code: 'CLOSED' })
})

test('a snapshot whose closing fails at its end is closed, and closing it again takes no other one out of the list', () => {
  const list = new SnapshotList(() => {
    throw new RangeError('the stack has ended')
  })
  const [first, second] = [1, 2].map((sequence) => list.create(sequenceNumber(sequence)))
  assert.throws(() => first.close(), /stack/)
  first.close()
  assert.deepEqual([list.oldest, list.sequences], [second.sequence, [2]])
})

test('a snapshot whose closing was cut off does not keep the list from being closed', () => {
  const list = new SnapshotList()
  const [first] = [1, 2].map((sequence) => list.create(sequenceNumber(sequence)))
  const remove = mock.method(list, 'remove', () => {
    throw new RangeError('the stack has ended')
  })
  assert.throws(() => first.close(), /stack/)
  remove.mock.restore()
  list.closeAll()
  assert.deepEqual([list.oldest, list.count], [undefined, 0])
})
