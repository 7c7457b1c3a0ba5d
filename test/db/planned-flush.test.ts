/** What a flush under way takes from the engine's other parts, and gives back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { type FileNumber, fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { type PlanHost, PlannedFlush } from '../../src/db/background/planned-flush.ts'
import { SnapshotList } from '../../src/db/snapshot.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { Version } from '../../src/version/version.ts'
import { drawnVersion } from '../version/drawn-version.ts'

interface Surroundings {
  readonly host: PlanHost
  readonly busy: Set<FileNumber>
  readonly held: Version[]
  readonly snapshots: SnapshotList
}

function surroundings(version: Version): Surroundings {
  const busy = new Set([fileNumber(99)])
  const held: Version[] = []
  const snapshots = new SnapshotList()
  const host = {
    readState: { version },
    busy,
    snapshots,
    options: { comparator: bytewiseComparator },
    hold: (one: Version) => held.push(one),
    unhold: (one: Version) => held.splice(held.indexOf(one), 1),
  }
  return { host: host as unknown as PlanHost, busy, held, snapshots }
}

/** Deletes everything from b to e. */
function table(): MemTable {
  const memtable = MemTable.create({ capacityBytes: 1 << 16 })
  memtable.deleteRange('b', 'e', 100)
  memtable.freeze()
  return memtable
}

test('the tables that a flush drops are busy until it ends, and the version of those that it reads is held so long', () => {
  const version = drawnVersion(['1: 7[a..b] 8[c..d] 9[x..z]'])
  const { host, busy, held } = surroundings(version)
  const planned = new PlannedFlush(host, table())
  assert.deepEqual([[...busy].sort(), held], [[8, 99], [version]])
  planned.end()
  assert.deepEqual([[...busy], held], [[99], []])
})

test('a flush that reads no table holds no version', () => {
  const { host, busy, held } = surroundings(drawnVersion(['2: 8[c..d]']))
  const planned = new PlannedFlush(host, table())
  assert.deepEqual([[...busy].sort(), held], [[8, 99], []])
  planned.end()
  assert.deepEqual([[...busy], held], [[99], []])
})

test('a table that an open snapshot still sees, or another job is using up, is read and not dropped', () => {
  const version = drawnVersion(['1: 7[b..c] 8[d..d]'])
  for (const change of ['snapshot', 'busy'] as const) {
    const { host, busy, held, snapshots } = surroundings(version)
    if (change === 'snapshot') snapshots.create(sequenceNumber(99))
    else for (const number of [7, 8]) busy.add(fileNumber(number))
    const before = [...busy]
    const planned = new PlannedFlush(host, table())
    assert.deepEqual(planned.plan.dropped, [])
    assert.deepEqual([[...busy], held], [before, [version]])
    planned.end()
    assert.deepEqual([[...busy], held], [before, []])
  }
})
