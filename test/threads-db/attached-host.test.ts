/** What a reading thread pins and opens, and when it lets go: its layers are played here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import type { Port } from '../../src/base/environment.ts'
import { ClosedError } from '../../src/base/errors.ts'
import { fileNumber, type SequenceNumber, sequenceNumber } from '../../src/base/types.ts'
import { AttachedHost } from '../../src/db/threads/attached-host.ts'
import type { AttachedLayers } from '../../src/db/threads/attached-layers.ts'
import { RemoteReader } from '../../src/db/threads/remote-reader.ts'
import type { ShareHandle } from '../../src/db/threads/share-handle.ts'
import type { LayersMessage } from '../../src/db/threads/share-messages.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { Version } from '../../src/version/version.ts'
import { VersionBuilder } from '../../src/version/version-builder.ts'
import { DIRECTORY, placeTable } from '../jobs/compactions.ts'
import { bytesOf, putEntry } from '../table/entries.ts'

class Reader {
  readonly memory: MemoryEnvironment = new MemoryEnvironment()
  readonly host: AttachedHost
  readonly layers = {
    generation: 3,
    state: { version: Version.empty(bytewiseComparator) },
    isCurrent: true,
    isClosed: false,
    lastSequence: sequenceNumber(5),
    take: (): Version | undefined => undefined,
    check: (): void => {
      if (this.layers.isClosed) throw new ClosedError('the database is closed')
    },
    close: (): void => {},
  }
  /** What the owner sees if it looks as soon as it is told. */
  pinnedWhenTold: Reader['pinned'] | undefined = undefined
  readonly #owner: RemoteReader
  #sent = 0

  constructor() {
    const post = (): void => {
      this.#sent++
      this.pinnedWhenTold = this.pinned
    }
    const port = { post } as unknown as Port
    this.#owner = new RemoteReader(port, 0)
    this.memory.files.makeDirectory(DIRECTORY)
    const handle = { directory: DIRECTORY, bloomBitsPerKey: 10, reader: this.#owner.buffer } as unknown as ShareHandle
    const options = {
      environment: this.memory,
      comparator: bytewiseComparator,
      blockCacheBytes: 0,
      tableCacheBytes: 1 << 20,
      maxOpenFiles: 100,
      stallTimeoutMs: 1,
    }
    const layers = this.layers as unknown as AttachedLayers
    this.host = new AttachedHost(
      handle,
      port,
      layers,
      options,
      () => {},
      () => {},
    )
  }

  /** A version of some tables, which are there. */
  versionOf(...numbers: number[]): Version {
    const newFiles = numbers.map((number) => {
      const file = placeTable(this.memory, number, [putEntry(bytesOf(`key${number}`), 1, bytesOf('v'))])
      return { level: 1, file }
    })
    const version = new VersionBuilder(bytewiseComparator, Version.empty(bytewiseComparator))
      .apply({ newFiles })
      .build()
    assert.ok(version instanceof Version)
    return version
  }

  /** The owner has other layers now. */
  take(version: Version, deletedCount: number, isWhole: boolean = false): void {
    const replaced = this.layers.state.version
    this.layers.take = () => {
      this.layers.state = { version }
      return replaced === version ? undefined : replaced
    }
    const deletedFiles = Array.from({ length: deletedCount }, () => ({}))
    this.host.take({ isWhole, deletedFiles } as unknown as LayersMessage)
  }

  /** Open all tables of a version, and hold none. */
  read(version: Version): void {
    for (const { file } of version.files()) this.host.tables.find(file.number, file.bytes)
  }

  get openCount(): number {
    return this.memory.files.openCount
  }

  /** Messages to the owner that something was let go of, since. */
  get released(): number {
    const sent = this.#sent
    this.#sent = 0
    return sent
  }

  /** As the owner sees it. */
  get pinned(): { readonly generations: number[]; readonly sequences: number[] } {
    const generations = new Set<number>()
    const sequences: SequenceNumber[] = []
    this.#owner.addGenerations(generations)
    this.#owner.addSequences(sequences)
    return { generations: [...generations].filter((generation) => generation > 0), sequences }
  }
}

test('layers that several scans go through are pinned once, until the last of them ends', () => {
  const reader = new Reader()
  const version = reader.versionOf(1)
  reader.take(version, 0)
  reader.host.hold(version)
  reader.layers.generation = 4
  reader.host.hold(version)
  assert.deepEqual(reader.pinned.generations, [3])
  reader.host.unhold(version)
  assert.deepEqual(reader.pinned.generations, [3])
  reader.host.unhold(version)
  reader.host.unhold(version)
  assert.deepEqual([reader.pinned.generations, reader.released], [[], 0], 'they are the layers at hand still')
})

test('tables that the layers at hand do not have are closed, and those of a scan when it ends', () => {
  const reader = new Reader()
  const [first, second, third] = [reader.versionOf(1, 2), reader.versionOf(2, 3), reader.versionOf(4)]
  reader.take(first, 0)
  reader.read(first)
  assert.deepEqual([reader.openCount, reader.released], [2, 0])
  reader.take(second, 1)
  assert.deepEqual([reader.openCount, reader.released], [1, 1])
  reader.host.hold(second)
  reader.take(third, 2)
  assert.deepEqual([reader.openCount, reader.released], [0, 1])
  reader.read(second)
  reader.read(third)
  assert.equal(reader.openCount, 3)
  reader.host.unhold(second)
  assert.deepEqual([reader.openCount, reader.released], [1, 1])
  reader.host.close()
  assert.equal(reader.openCount, 0)
})

test('whoever takes layers as a whole, as one that was behind does, tells the owner, which kept its old ones', () => {
  const reader = new Reader()
  const [first, second] = [reader.versionOf(1, 2), reader.versionOf(2, 3)]
  reader.take(first, 0, true)
  reader.read(first)
  reader.take(second, 0, true)
  assert.deepEqual([reader.openCount, reader.released], [1, 2])
  reader.take(second, 0, true)
  assert.deepEqual([reader.openCount, reader.released], [1, 0], 'nothing was replaced')
})

test('a snapshot pins what it reads at, of the layers that are the newest still, and its end is told', () => {
  const reader = new Reader()
  const { layers, host } = reader
  let looks = 0
  Object.defineProperties(layers, {
    isCurrent: { get: () => ++looks > 2 },
    lastSequence: { get: () => sequenceNumber(5 + looks) },
  })
  const snapshot = host.snapshots.take()
  assert.deepEqual([snapshot.sequence, reader.pinned.sequences, reader.released], [7, [7], 0])
  const other = host.snapshots.take()
  snapshot.close()
  snapshot.close()
  assert.deepEqual([reader.pinned.sequences, reader.released], [[other.sequence], 1])
  assert.deepEqual(reader.pinnedWhenTold?.sequences, [other.sequence])
  host.close()
  assert.deepEqual([reader.pinned.sequences, reader.released], [[], 1])
})

test('once the database is closed no table is opened, whatever its file says, and none stays open', () => {
  const reader = new Reader()
  const version = reader.versionOf(1)
  reader.layers.isClosed = true
  assert.throws(() => reader.read(version), ClosedError)
  assert.equal(reader.openCount, 0)
  assert.throws(() => reader.host.tables.find(fileNumber(9), 10), ClosedError)
  reader.layers.isClosed = false
  assert.throws(() => reader.host.tables.find(fileNumber(9), 10), { code: 'CORRUPTION' })
})
