/**
 * The owner's side of sharing, step by step: what it holds for readers, what it sends them, and what it sees in their blocks, also
 * in the middle of a change: other threads are played here, between two accesses of the shared words.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import type { Port } from '../../src/base/environment.ts'
import { fileNumber, type SequenceNumber, sequenceNumber } from '../../src/base/types.ts'
import { ReaderPins } from '../../src/db/threads/reader-pins.ts'
import { RemoteReader, type SharedLayers } from '../../src/db/threads/remote-reader.ts'
import * as Layout from '../../src/db/threads/share-layout.ts'
import type { LayersMessage } from '../../src/db/threads/share-messages.ts'
import { Sharing, type SharingHost } from '../../src/db/threads/sharing.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { Version } from '../../src/version/version.ts'
import { drawnVersion } from '../version/drawn-version.ts'
import { interleaved } from './interleaved.ts'

/** An end of a channel whose other end is the test. */
class TestPort implements Port {
  readonly sent: { readonly type: string }[] = []
  isClosed = false
  tell: (message: unknown) => void = () => {}
  leave: () => void = () => {}

  post(message: unknown): void {
    this.sent.push(message as { readonly type: string })
  }

  onMessage(handler: (message: unknown) => void): void {
    this.tell = handler
  }

  onClose(handler: () => void): void {
    this.leave = handler
  }

  receiveNow(): unknown {
    return undefined
  }

  keepAlive(): void {}

  close(): void {
    this.isClosed = true
  }

  /** What was sent since. */
  taken(): string[] {
    return this.sent.splice(0).map(({ type }) => type)
  }
}

interface Shown {
  readonly port: TestPort
  readonly words: Int32Array
}

/** A database of one MemTable, whose versions are numbered. */
class Owner {
  readonly versions: Version[] = []
  readonly held: number[] = []
  releases = 0
  readonly sharing: Sharing
  readonly control: Int32Array
  readonly #ports: TestPort[] = []
  readonly #slot = {
    table: MemTable.create({ capacityBytes: 1024 }),
    log: { number: fileNumber(1) },
    firstSequence: sequenceNumber(1),
  }

  constructor() {
    this.show()
    const versions = this.versions
    const slot = this.#slot
    const host = {
      directory: '/db',
      options: { comparator: bytewiseComparator, bloomBitsPerKey: 10, writeBufferBytes: 1024 },
      environment: { ports: { open: () => ({ near: this.#newPort(), far: {} }) } },
      get readState() {
        return { active: slot, immutables: [], version: versions[versions.length - 1] }
      },
      lastSequence: sequenceNumber(0),
      hold: (version: Version) => this.held.push(versions.indexOf(version)),
      unhold: (version: Version) => this.held.splice(this.held.indexOf(versions.indexOf(version)), 1),
    }
    this.sharing = new Sharing(host as unknown as SharingHost, () => this.releases++)
    const { control } = this.sharing.share(() => Promise.resolve())
    this.control = new Int32Array(control)
    // That handle was for the control block alone.
    this.#ports[0].leave()
    this.releases = 0
  }

  /** The next version is the current one. */
  show(): void {
    const number = this.versions.length + 1
    this.versions.push(drawnVersion([`1: ${number}[a..c]`]))
  }

  change(): void {
    this.show()
    this.sharing.changed()
  }

  share(): Shown {
    const { reader } = this.sharing.share(() => Promise.resolve())
    return { port: this.#ports.at(-1) as TestPort, words: new Int32Array(reader) }
  }

  #newPort(): TestPort {
    const port = new TestPort()
    this.#ports.push(port)
    return port
  }
}

/** As a reader that wants the layers. */
function ask({ port, words }: Shown): void {
  Atomics.store(words, Layout.WAITING, 1)
  port.tell({ type: 'layers' })
}

function use({ words }: Shown, generation: number): void {
  Atomics.store(words, Layout.IN_USE, generation)
}

test('the current version is held, and those that readers use or pin, until they do no more', () => {
  const owner = new Owner()
  const reader = owner.share()
  owner.change()
  assert.deepEqual(owner.held, [], 'without a reader nothing is held')
  ask(reader)
  assert.deepEqual(owner.held, [1])
  use(reader, 1)
  owner.change()
  owner.change()
  // Nobody used what came in between.
  assert.deepEqual(owner.held, [1, 3])
  const pins = new ReaderPins(reader.words)
  const slot = pins.pinGeneration(1)
  use(reader, 3)
  owner.change()
  assert.deepEqual(owner.held, [1, 3, 4])
  pins.release(slot)
  reader.port.tell({ type: 'released' })
  assert.deepEqual([owner.held, owner.releases], [[3, 4], 1])
  use(reader, 4)
  reader.port.tell({ type: 'released' })
  assert.deepEqual([owner.held, owner.releases], [[4], 2])
})

test('what was sent to a reader first is held until it takes it, and what comes in between is not', () => {
  const owner = new Owner()
  const reader = owner.share()
  ask(reader)
  owner.change()
  owner.change()
  assert.deepEqual(owner.held, [0, 2])
  use(reader, 3)
  owner.change()
  assert.deepEqual(owner.held, [2, 3])
  use(reader, Layout.NONE_ANY_MORE)
  owner.change()
  assert.deepEqual(owner.held, [4])
})

test('while a generation that was let go of is stored as in use, the one before it is kept', () => {
  const owner = new Owner()
  const reader = owner.share()
  // Another one, which has never asked, keeps nothing.
  owner.share()
  ask(reader)
  use(reader, 1)
  owner.change()
  // The reader takes 2, and sees no newer one. Before it stores that, there is one.
  owner.change()
  assert.deepEqual(owner.held, [0, 2])
  use(reader, 2)
  owner.change()
  owner.change()
  assert.deepEqual(owner.held, [0, 4])
  use(reader, 5)
  owner.change()
  assert.deepEqual(owner.held, [4, 5])
})

test('a MemTable goes by the same number from change to change, and is sent to each reader once', () => {
  const owner = new Owner()
  const readers = [owner.share(), owner.share()]
  for (const reader of readers) ask(reader)
  owner.change()
  owner.change()
  for (const { port } of readers) {
    const sent = port.sent as unknown as readonly LayersMessage[]
    assert.deepEqual(
      sent.map(({ memtables, fresh }) => [memtables, fresh.map(({ id }) => id)]),
      [
        [[1], [1]],
        [[1], []],
        [[1], []],
      ],
    )
  }
})

test('layers of which nobody is told are newer all the same, for whoever has others', () => {
  const owner = new Owner()
  const reader = owner.share()
  owner.change()
  assert.equal(Atomics.load(owner.control, Layout.GENERATION), 0)
  ask(reader)
  use(reader, 1)
  reader.port.leave()
  owner.change()
  assert.equal(Atomics.load(owner.control, Layout.GENERATION), 2)
})

for (const [what, wasAsked, inUse, isRead] of [
  ['has asked for nothing', false, Layout.NONE_YET, false],
  ['has not taken what it was sent', true, Layout.NONE_YET, true],
  ['reads', true, 1, true],
  ['has closed its reader', true, Layout.NONE_ANY_MORE, false],
] as const) {
  test(`a thread that ${what} ${isRead ? 'may go' : 'does not go'} on reading while the database is closed`, () => {
    const owner = new Owner()
    const reader = owner.share()
    if (wasAsked) ask(reader)
    use(reader, inUse)
    owner.sharing.close()
    assert.equal(owner.sharing.isReadStill, isRead)
  })
}

test('a reader that leaves takes its holds along, and the last one all of them', () => {
  const owner = new Owner()
  const [first, second] = [owner.share(), owner.share()]
  ask(first)
  ask(second)
  use(first, 1)
  owner.change()
  use(second, 2)
  assert.deepEqual(owner.held, [0, 1])
  first.port.leave()
  assert.deepEqual([owner.held, owner.releases], [[1], 1])
  first.port.leave()
  assert.equal(owner.releases, 1)
  second.port.leave()
  assert.deepEqual([owner.held, owner.releases, owner.sharing.readerCount], [[], 2, 0])
  owner.change()
  assert.deepEqual(owner.held, [])
})

test('closing tells the readers, holds nothing, and is newer than any layers', () => {
  const owner = new Owner()
  const reader = owner.share()
  ask(reader)
  assert.deepEqual(reader.port.taken(), ['layers'])
  assert.equal(Atomics.load(owner.control, Layout.GENERATION), 1)
  const heard = Atomics.load(reader.words, Layout.ANSWERED)
  owner.sharing.end()
  assert.equal(Atomics.load(owner.control, Layout.GENERATION), Layout.CLOSED)
  assert.notEqual(Atomics.load(reader.words, Layout.ANSWERED), heard, 'who sleeps is woken')
  owner.change()
  ask(reader)
  reader.port.tell({ type: 'released' })
  assert.deepEqual([reader.port.taken(), owner.releases], [[], 0])
  owner.sharing.close()
  assert.deepEqual([owner.held, reader.port.taken(), reader.port.isClosed], [[], ['closed'], true])
  assert.equal(owner.sharing.readerCount, 0)
})

test('each change is posted before its generation is stored, also to one whose question has not been taken', (t) => {
  const notify = t.mock.method(Atomics, 'notify')
  const owner = new Owner()
  const [asked, silent] = [owner.share(), owner.share()]
  ask(asked)
  const seen: number[] = []
  asked.port.post = (message) => {
    seen.push((message as LayersMessage).generation, Atomics.load(owner.control, Layout.GENERATION))
  }
  owner.change()
  assert.deepEqual(seen, [2, 1])
  assert.equal(Atomics.load(owner.control, Layout.GENERATION), 2)
  assert.deepEqual(silent.port.taken(), [])
  // It sleeps until it is answered: no message of it is taken.
  Atomics.store(silent.words, Layout.WAITING, 1)
  notify.mock.resetCalls()
  owner.change()
  assert.deepEqual(
    notify.mock.calls.map((call) => call.arguments as unknown),
    [[silent.words, Layout.ANSWERED]],
  )
  assert.deepEqual(silent.port.taken(), ['layers'])
  assert.deepEqual(
    [Layout.WAITING, Layout.ANSWERED].map((word) => Atomics.load(silent.words, word)),
    [0, 1],
  )
})

test('what the snapshots of all threads read at is seen whole, whatever its halves', () => {
  const owner = new Owner()
  const [first, second] = [owner.share(), owner.share()]
  const pins = [first, second].map(({ words }) => new ReaderPins(words))
  const sequences = [1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 2 ** 31 + 1, 2 ** 52, 2 ** 53 - 1]
  const slots = sequences.map((sequence, i) => pins[i % 2].pinSequence(sequence))
  pins[0].pinGeneration(77)
  const sorted = (all: readonly number[]): number[] => [...all].sort((a, b) => a - b)
  assert.deepEqual(sorted(owner.sharing.sequences()), sequences)
  for (const [i, slot] of slots.entries()) {
    pins[i % 2].release(slot)
    assert.deepEqual(sorted(owner.sharing.sequences()), sequences.slice(i + 1))
  }
})

test('no word of a reader’s block is two things at once', () => {
  const words = [Layout.IN_USE, Layout.WAITING, Layout.ANSWERED, Layout.SLOTS, Layout.ATTACHED]
  assert.equal(new Set(words).size, words.length)
  assert.ok(Math.max(...words) < Layout.slotAt(0))
})

test('a reader has so many slots, and those that are free again are taken again', () => {
  const reader = new RemoteReader(new TestPort(), 0)
  const pins = new ReaderPins(new Int32Array(reader.buffer))
  const slots = Array.from({ length: Layout.SLOTS_MAX }, (_, i) => pins.pinSequence(i + 1))
  for (let i = 0; i < 2; i++) {
    assert.throws(() => pins.pinGeneration(1), { code: 'NOT_SUPPORTED' })
    pins.release(slots[7])
    assert.equal(pins.pinSequence(5000), slots[7])
  }
  const sequences: SequenceNumber[] = []
  reader.addSequences(sequences)
  assert.deepEqual([sequences.length, sequences[7], sequences.at(-1)], [Layout.SLOTS_MAX, 5000, Layout.SLOTS_MAX])
})

function layersOf(generation: number, tables: readonly MemTable[]): SharedLayers {
  const memtables = tables.map((table, i) => {
    const slot = { table, log: { number: fileNumber(1) }, firstSequence: sequenceNumber(1) }
    return { id: i + 1, slot }
  })
  return { generation, memtables, version: drawnVersion([`1: ${generation}[a..c]`]) }
}

/** A reader that has asked and has been answered. */
function answered(untakenBytesMax: number): { reader: RemoteReader; words: Int32Array; port: TestPort } {
  const port = new TestPort()
  const reader = new RemoteReader(port, untakenBytesMax)
  const words = new Int32Array(reader.buffer)
  reader.answer(layersOf(1, []))
  assert.deepEqual(port.taken(), [], 'nobody has asked')
  Atomics.store(words, Layout.WAITING, 1)
  reader.answer(layersOf(1, []))
  assert.deepEqual(port.taken(), ['layers'])
  return { reader, words, port }
}

test('a reader may leave a thousand changes in its port; then it has to ask, and gets the layers as a whole', () => {
  const { reader, words, port } = answered(0)
  for (let generation = 2; generation <= 1000; generation++) reader.post(layersOf(generation, []))
  assert.deepEqual(new Set(port.taken()), new Set(['layers']))
  reader.post(layersOf(1001, []))
  reader.post(layersOf(1002, []))
  assert.deepEqual(port.taken(), ['behind'])
  Atomics.store(words, Layout.WAITING, 1)
  reader.post(layersOf(1003, []))
  const [whole] = port.sent.splice(0) as unknown as LayersMessage[]
  assert.deepEqual([whole.isWhole, whole.generation, whole.deletedFiles], [true, 1003, []])
  for (let generation = 1004; generation <= 2002; generation++) reader.post(layersOf(generation, []))
  assert.deepEqual(new Set(port.taken()), new Set(['layers']))
  // What it has taken is not counted any more.
  for (let generation = 2003; generation <= 3500; generation++) {
    Atomics.store(words, Layout.IN_USE, generation - 1)
    reader.post(layersOf(generation, []))
  }
  assert.deepEqual(new Set(port.taken()), new Set(['layers']))
})

test('a reader may leave so many bytes of MemTables in its port, and those that it uses are not counted', () => {
  const table = (): MemTable => MemTable.create({ capacityBytes: 4096 })
  const { reader, words, port } = answered(2 * table().share().buffer.byteLength)
  const tables = Array.from({ length: 5 }, table)
  reader.post(layersOf(2, tables.slice(0, 1)))
  reader.post(layersOf(3, tables.slice(0, 2)))
  assert.deepEqual(port.taken(), ['layers', 'layers'])
  Atomics.store(words, Layout.IN_USE, 2)
  reader.post(layersOf(4, tables.slice(0, 3)))
  assert.deepEqual(port.taken(), ['layers'])
  reader.post(layersOf(5, tables.slice(0, 4)))
  assert.deepEqual(port.taken(), ['behind'])
})

test('a change says which tables came and went', () => {
  const { reader, port } = answered(0)
  reader.post(layersOf(2, []))
  const [change] = port.sent.splice(0) as unknown as LayersMessage[]
  assert.equal(change.isWhole, false)
  assert.deepEqual(
    change.newFiles.map(({ level, file }) => [level, file.number]),
    [[1, 2]],
  )
  assert.deepEqual(change.deletedFiles, [{ level: 1, number: 1 }])
})

test('wherever in a look at a reader’s block a scan pins its layers and the reader goes on, they are seen', () => {
  let at = 0
  for (let count = 1; at < count; at++) {
    const reader = new RemoteReader(new TestPort(), 0)
    const words = new Int32Array(reader.buffer)
    const pins = new ReaderPins(words)
    pins.pinGeneration(3)
    Atomics.store(words, Layout.IN_USE, 7)
    const used = new Set<number>()
    const between = (): void => {
      pins.pinGeneration(7)
      Atomics.store(words, Layout.IN_USE, 8)
    }
    count = interleaved('load', at, between, () => reader.addGenerations(used))
    assert.ok(used.has(7) && used.has(3), `access ${at}: ${[...used]}`)
  }
  assert.ok(at >= 4)
})

test('wherever in a pin the owner looks, it sees all of it or nothing', () => {
  let at = 0
  for (let count = 1; at < count; at++) {
    const reader = new RemoteReader(new TestPort(), 0)
    const pins = new ReaderPins(new Int32Array(reader.buffer))
    // Slots that were used before hold what they held.
    const slots = [pins.pinSequence(2 ** 40 + 1), pins.pinGeneration(3)]
    for (const slot of slots) pins.release(slot)
    const generations = new Set<number>()
    const sequences: SequenceNumber[] = []
    const look = (): void => {
      reader.addGenerations(generations)
      reader.addSequences(sequences)
    }
    count = interleaved('store', at, look, () => {
      pins.pinGeneration(5)
      pins.pinSequence(2 ** 33)
    })
    assert.ok(!generations.has(3), `access ${at}: a generation that was released`)
    assert.ok(
      sequences.every((sequence) => sequence === 2 ** 33),
      `access ${at}: ${sequences}`,
    )
  }
  assert.ok(at >= 6)
})

test('wherever in a change of the layers a reader goes on to those before, it has newer ones to wait for, or they are held', () => {
  let at = 0
  for (let count = 1; at < count; at++) {
    const owner = new Owner()
    const reader = owner.share()
    ask(reader)
    use(reader, 1)
    owner.change()
    let isCurrent = false
    count = interleaved(
      'load',
      at,
      () => {
        use(reader, 2)
        isCurrent = Atomics.load(owner.control, Layout.GENERATION) === 2
      },
      () => owner.change(),
    )
    assert.ok(!isCurrent || owner.held.includes(1), `access ${at}: held are ${owner.held}`)
  }
  assert.ok(at >= 3)
})

test('whoever is woken finds that it has been answered', (t) => {
  const seen: number[] = []
  t.mock.method(Atomics, 'notify', (words: Int32Array, index: number) => seen.push(Atomics.load(words, index)))
  const reader = new RemoteReader(new TestPort(), 0)
  reader.wake()
  reader.wake()
  assert.deepEqual(seen, [1, 2])
})

test('wherever in a load a sequence is stored, and in a store it is loaded, it is one of those that were stored', () => {
  const [before, after] = [2 ** 32 - 1, 2 ** 32]
  let [loads, stores] = [0, 0]
  for (let count = 1; loads < count; loads++) {
    const control = new Int32Array(new SharedArrayBuffer(Layout.CONTROL_BYTES))
    Layout.storeSequence(control, before)
    let loaded = -1
    const store = (): void => Layout.storeSequence(control, after)
    count = interleaved('load', loads, store, () => {
      loaded = Layout.loadSequence(control)
    })
    assert.ok(loaded === before || loaded === after, `load ${loads}: ${loaded}`)
  }
  for (let count = 1; stores < count; stores++) {
    const control = new Int32Array(new SharedArrayBuffer(Layout.CONTROL_BYTES))
    Layout.storeSequence(control, before)
    let loaded: number | undefined
    // A load waits until the store is done: here it gives up.
    const giveUp = (): never => {
      throw new Error('waits')
    }
    const load = (): void => {
      interleaved('load', 10, giveUp, () => {
        loaded = Layout.loadSequence(control)
      })
    }
    const loadOrWait = (): void => {
      try {
        load()
      } catch (error) {
        assert.match(String(error), /waits/)
      }
    }
    count = interleaved('store', stores, loadOrWait, () => Layout.storeSequence(control, after))
    assert.ok(loaded === undefined || loaded === before || loaded === after, `store ${stores}: ${loaded}`)
  }
  assert.deepEqual([loads >= 3, stores], [true, 3])
})
