/** How a reading thread follows the layers: its owner is played here, also in the middle of a look at the shared words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import type { Port } from '../../src/base/environment.ts'
import { ClosedError, StalledError } from '../../src/base/errors.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { AttachedLayers } from '../../src/db/threads/attached-layers.ts'
import type { ShareHandle } from '../../src/db/threads/share-handle.ts'
import * as Layout from '../../src/db/threads/share-layout.ts'
import type { LayersMessage, ToReader } from '../../src/db/threads/share-messages.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { drawnFile } from '../version/drawn-version.ts'
import { interleaved } from './interleaved.ts'

class Owner {
  readonly control: Int32Array = new Int32Array(new SharedArrayBuffer(Layout.CONTROL_BYTES))
  readonly words: Int32Array = new Int32Array(new SharedArrayBuffer(Layout.READER_BYTES))
  readonly layers: AttachedLayers
  /** Posted, and not taken. */
  readonly inPort: LayersMessage[] = []
  asked = 0
  #generation = 0
  readonly #tables = [1, 2, 3, 4].map(() => MemTable.create({ capacityBytes: 1024 }))

  constructor() {
    const post = (): void => {
      this.asked++
      assert.equal(Atomics.load(this.words, Layout.WAITING), 1, 'an owner that looks at once has to see it')
    }
    const port = { post, receiveNow: () => this.inPort.shift() } as unknown as Port
    const handle = { control: this.control.buffer, reader: this.words.buffer } as unknown as ShareHandle
    const take = (message: ToReader): void => {
      this.layers.take(message as LayersMessage)
    }
    this.layers = new AttachedLayers(handle, port, bytewiseComparator, 1, take)
  }

  /** The next generation, each with a MemTable and a table more than the one before; then a write that only it shows. */
  rotate(isWhole: boolean = false): void {
    const generation = ++this.#generation
    const first = isWhole ? 1 : generation
    const fresh = this.#tables.slice(first - 1, generation).map((table, i) => ({
      id: first + i,
      token: table.share(),
      logNumber: fileNumber(first + i),
      firstSequence: sequenceNumber(1),
    }))
    const newFiles = fresh.map(({ id }) => ({ level: 0, file: drawnFile(`${id}[a..b]`) }))
    const memtables = Array.from({ length: generation }, (_, i) => generation - i)
    this.inPort.push({ type: 'layers', generation, isWhole, memtables, fresh, newFiles, deletedFiles: [] })
    Atomics.store(this.control, Layout.GENERATION, generation)
    Layout.storeSequence(this.control, 10 * generation)
  }

  /** Numbers of the logs of the MemTables, newest first, and how many tables there are. */
  get shown(): readonly number[] {
    const { active, immutables, version } = this.layers.state
    return [...[active, ...immutables].map(({ log }) => log.number), version.levels[0].length]
  }
}

test('changes are taken in their order, and what is in use is told', () => {
  const owner = new Owner()
  owner.rotate(true)
  assert.equal(owner.layers.isCurrent, false)
  owner.layers.refresh()
  assert.deepEqual([owner.shown, owner.layers.generation, owner.layers.isCurrent], [[1, 1], 1, true])
  owner.rotate()
  owner.rotate()
  assert.equal(Atomics.load(owner.words, Layout.IN_USE), 1)
  owner.layers.refresh()
  assert.deepEqual([owner.shown, owner.layers.generation, owner.asked], [[3, 2, 1, 3], 3, 0])
  assert.equal(Atomics.load(owner.words, Layout.IN_USE), 3)
  owner.layers.close()
  assert.deepEqual([Atomics.load(owner.words, Layout.IN_USE), owner.layers.isClosed], [Layout.NONE_ANY_MORE, true])
  assert.throws(() => owner.layers.refresh(), ClosedError)
})

test('a change that overtakes another is not taken: the layers are asked for, and what comes too late is passed over', () => {
  const owner = new Owner()
  owner.rotate(true)
  owner.layers.refresh()
  owner.rotate()
  const [late] = owner.inPort.splice(0)
  owner.rotate()
  assert.throws(() => owner.layers.refresh(), StalledError)
  assert.deepEqual([owner.shown, owner.layers.generation, owner.asked], [[1, 1], 1, 1])
  owner.rotate(true)
  owner.layers.refresh()
  owner.layers.take(late)
  assert.deepEqual([owner.shown, owner.layers.generation, owner.asked], [[4, 3, 2, 1, 4], 4, 1])
  assert.equal(Atomics.load(owner.words, Layout.IN_USE), 4)
})

test('layers that are not the newest are not told to be in use: what comes after them is kept for those before', () => {
  const owner = new Owner()
  owner.rotate(true)
  owner.layers.refresh()
  owner.rotate()
  owner.rotate()
  const [second, third] = owner.inPort.splice(0)
  owner.layers.take(second)
  assert.deepEqual([owner.layers.generation, Atomics.load(owner.words, Layout.IN_USE)], [2, 1])
  owner.layers.take(third)
  assert.equal(Atomics.load(owner.words, Layout.IN_USE), 3)
})

test('wherever the owner rotates and writes while the sequence is asked for, the layers at hand show it', () => {
  let at = 0
  for (let count = 1; at < count; at++) {
    const owner = new Owner()
    owner.rotate(true)
    owner.layers.refresh()
    let sequence = 0
    const rotate = (): void => owner.rotate()
    count = interleaved('load', at, rotate, () => {
      sequence = owner.layers.lastSequence
    })
    assert.ok(sequence === 10 || sequence === 20)
    assert.ok(owner.layers.generation >= sequence / 10, `load ${at}: ${sequence} of ${owner.layers.generation}`)
  }
  assert.ok(at >= 4)
})

test('who has nothing in the port asks, once, and gives up in time; the answer is the layers as a whole', () => {
  const owner = new Owner()
  owner.rotate(true)
  owner.layers.refresh()
  owner.rotate()
  owner.inPort.length = 0
  for (let i = 0; i < 2; i++) assert.throws(() => owner.layers.lastSequence, StalledError)
  assert.deepEqual([owner.asked, Atomics.load(owner.words, Layout.WAITING)], [1, 1])
  owner.rotate(true)
  assert.deepEqual([owner.layers.lastSequence, owner.shown], [30, [3, 2, 1, 3]])
  owner.rotate()
  owner.inPort.length = 0
  assert.throws(() => owner.layers.refresh(), StalledError)
  assert.equal(owner.asked, 2)
})

test('an answer that comes right after a look into the port is not slept through', () => {
  const owner = new Owner()
  owner.rotate(true)
  owner.layers.refresh()
  owner.rotate()
  owner.inPort.length = 0
  assert.throws(() => owner.layers.refresh(), StalledError)
  const look = owner.inPort.shift.bind(owner.inPort)
  owner.inPort.shift = () => {
    const found = look()
    if (found === undefined) {
      owner.rotate(true)
      Atomics.add(owner.words, Layout.ANSWERED, 1)
    }
    return found
  }
  owner.layers.refresh()
  assert.deepEqual([owner.layers.generation, owner.asked], [3, 1])
})

test('what is whole takes the place of all that was there, and the same version again is no other', () => {
  const owner = new Owner()
  owner.rotate(true)
  const [first] = owner.inPort.splice(0)
  assert.equal(owner.layers.take(first), undefined)
  const { version } = owner.layers.state
  assert.equal(owner.layers.take({ ...first, isWhole: false, newFiles: [] }), undefined)
  assert.equal(owner.layers.state.version, version)
  owner.rotate(true)
  assert.equal(owner.layers.take(owner.inPort[0]), version)
  assert.deepEqual(owner.shown, [2, 1, 2])
})

test('a change that only takes a single table away takes it away', () => {
  const owner = new Owner()
  owner.rotate(true)
  owner.layers.refresh()
  const deletedFiles = [{ level: 0, number: fileNumber(1) }]
  const before = owner.layers.state.version
  const change = { isWhole: false, generation: 2, memtables: [1], fresh: [], newFiles: [], deletedFiles }
  assert.equal(owner.layers.take({ type: 'layers', ...change }), before)
  assert.deepEqual(owner.shown, [1, 0])
})

test('a database that is closed has no newer layers to wait for', () => {
  const owner = new Owner()
  owner.rotate(true)
  owner.layers.refresh()
  owner.layers.check()
  Atomics.store(owner.control, Layout.GENERATION, Layout.CLOSED)
  assert.deepEqual([owner.layers.isClosed, owner.layers.isCurrent], [true, false])
  assert.throws(() => owner.layers.lastSequence, ClosedError)
  assert.equal(owner.asked, 0)
})

test('wherever in the wait for layers the database is closed, whoever waits is told so, and does not sleep until the time is over', () => {
  let at = 0
  for (let isClosed = true; isClosed; at++) {
    isClosed = false
    const owner = new Owner()
    owner.rotate(true)
    owner.layers.refresh()
    owner.rotate()
    owner.inPort.length = 0
    // As Sharing.end does.
    const close = (): void => {
      isClosed = true
      Atomics.store(owner.control, Layout.GENERATION, Layout.CLOSED)
      Atomics.add(owner.words, Layout.ANSWERED, 1)
    }
    interleaved('load', at, close, () => {
      assert.throws(
        () => owner.layers.refresh(),
        (error) => error instanceof (isClosed ? ClosedError : StalledError),
        `load ${at}`,
      )
    })
  }
  assert.ok(at >= 4)
})
