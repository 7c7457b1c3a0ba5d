/**
 * ModelRun: carries out operations on a database and on its History alike, and compares every answer.
 *
 * While writes are under way, a read may show any state from the last acknowledged write on; otherwise exactly the latest.
 * After a crash the database holds the state after some number of whole writes, at least those whose durability the
 * crash respects.
 */
import assert from 'node:assert/strict'
import type { Durability } from '../../src/base/types.ts'
import {
  type DB,
  type Entry,
  type Options,
  open,
  type Scan,
  type Snapshot,
  type SyncScan,
  WriteBatch,
} from '../../src/public/index.ts'
import { assertEntries, assertOneOf, bytes, pick, show, text, texts, toOptions, turns } from './compare.ts'
import { type CrashKind, type Edit, History, type State, scanState } from './history.ts'
import type { How, Operation, Plain, PlannedEdit } from './operations.ts'
import type { World } from './world.ts'

interface OpenScan {
  readonly scan: Scan<Entry> | SyncScan<Entry>
  /** What it still has to yield. */
  readonly expected: [string, string][]
}

interface OpenSnapshot {
  readonly snapshot: Snapshot
  readonly state: State
}

/** A crash that has happened in the files, while the process that it cut off is still to be let go of. */
interface Crash {
  readonly world: World
  readonly keptMin: number
  readonly keptMax: number
}

type Of<T extends Operation['type']> = Extract<Operation, { readonly type: T }>

export class ModelRun {
  readonly #walMarkers: boolean
  readonly #options: Options
  #world: World
  #db!: DB
  readonly #history: History = new History()
  #valueCount = 0
  #pending: Promise<void>[] = []
  #scans: OpenScan[] = []
  #snapshots: OpenSnapshot[] = []
  #crash: Crash | undefined = undefined
  /** What the database held when the run was over. */
  contents: readonly (readonly [string, string])[] = []
  /** How often things happened, for a test to see that they did. */
  readonly counts: Record<string, number> = {
    flushes: 0,
    flushesWithoutTable: 0,
    compactions: 0,
    moves: 0,
    rangeDeletes: 0,
    crashes: 0,
    lost: 0,
    discarded: 0,
  }

  /** @param options beside those that every run has, and before them */
  constructor(world: World, walMarkers: boolean, options: Options = {}) {
    this.#options = options
    this.#world = world
    this.#walMarkers = walMarkers
  }

  async run(operations: readonly Operation[]): Promise<void> {
    try {
      await this.#open()
      for (const operation of operations) {
        await this.#step(operation)
        if (this.#crash !== undefined) await this.#recover(this.#crash)
      }
      await this.#settle()
      for (const scan of this.#scans) await this.#pull(scan, scan.expected.length + 1)
      await this.#reopen()
      if (this.#crash !== undefined) await this.#recover(this.#crash)
      this.contents = scanState(this.#history.latest, {})
      await this.#compareAll()
      await this.#db.close()
    } finally {
      this.#world.dispose()
    }
  }

  async #open(): Promise<void> {
    const { directory, environment, workers } = this.#world
    const options = {
      environment,
      workers,
      writeBufferBytes: 16 * 1024,
      blockBytes: 1024,
      walMarkers: this.#walMarkers,
      ...this.#options,
      maxFileBytes: 4096,
      levelBytes: 16 * 1024,
      level0CompactionTrigger: 2,
      seekCompaction: true,
      compression: 'none' as const,
    }
    this.#db = await open(directory, options)
    this.#db.on('flush', ({ table }) => this.#count(table === undefined ? 'flushesWithoutTable' : 'flushes'))
    this.#db.on('compaction', ({ phase }) => {
      if (phase === 'end') this.#count('compactions')
      if (phase === 'move') this.#count('moves')
      assert.notEqual(phase, 'failed')
    })
  }

  #count(what: string, by: number = 1): void {
    this.counts[what] += by
  }

  #step(operation: Operation): Promise<void> | void {
    switch (operation.type) {
      case 'write':
        return this.#write(operation.how, [operation.edit], operation.durability, false)
      case 'batch':
        return this.#write(operation.how, operation.edits, operation.durability, true)
      case 'fill':
        return this.#fill(operation)
      case 'get':
        return this.#get(operation)
      case 'has':
        return this.#has(operation)
      case 'getMany':
        return this.#getMany(operation)
      case 'scan':
        return this.#scan(operation)
      case 'openScan':
        return this.#openScan(operation)
      case 'stepScan':
        return this.#pull(pick(this.#scans, operation.which), operation.count)
      case 'closeScan':
        return this.#closeScan(pick(this.#scans, operation.which))
      case 'readSnapshot':
        return this.#readSnapshot(pick(this.#snapshots, operation.which), operation.key)
      case 'closeSnapshot':
        return this.#closeSnapshot(pick(this.#snapshots, operation.which))
      case 'crash':
        return this.#crashNow(operation.kind, operation.seed)
      case 'crashSoon':
        return this.#world.beforeCall(operation.calls, () => this.#crashNow(operation.kind, operation.seed))
      case 'compact':
        return this.#compact(operation)
      case 'turns':
        return turns(operation.count)
      case 'pass':
        return this.#pass(operation.milliseconds)
      default:
        return this.#manage(operation.type)
    }
  }

  async #manage(type: Plain): Promise<void> {
    if (type === 'hold') this.#world.holdSyncs()
    else if (type === 'release') this.#world.releaseSyncs()
    else if (type === 'flush') await this.#flush()
    else if (type === 'reopen') await this.#reopen()
    else await this.#settle()
    if (type === 'snapshot') {
      this.#snapshots.push({ snapshot: this.#db.snapshot(), state: new Map(this.#history.latest) })
    }
  }

  async #openScan({ range, isSync }: Of<'openScan'>): Promise<void> {
    await this.#settle()
    const options = toOptions(range)
    const scan = isSync ? this.#db.scanSync(options) : this.#db.scan(options)
    this.#scans.push({ scan, expected: scanState(this.#history.latest, range) })
  }

  // Writing.

  #write(
    how: How,
    planned: readonly PlannedEdit[],
    durability: Durability | undefined,
    isBatch: boolean,
  ): Promise<void> | void {
    const edits = planned.flatMap((edit) => this.#edits(edit))
    const options = durability === undefined ? undefined : { durability }
    if (how === 'sync') {
      const index = this.#history.submit(edits, durability ?? 'os')
      this.#call(edits, options, isBatch, true)
      this.#history.acknowledge(index)
      return
    }
    const index = this.#history.submit(edits, durability ?? 'os')
    const written = (this.#call(edits, options, isBatch, false) as Promise<void>).then(() =>
      this.#history.acknowledge(index),
    )
    this.#pending.push(written)
    if (how === 'await') {
      this.#world.releaseSyncs()
      return written
    }
    // A failure is seen when the run settles.
    written.catch(() => {})
  }

  #call(
    edits: readonly Edit[],
    options: { durability: Durability } | undefined,
    isBatch: boolean,
    isSync: boolean,
  ): unknown {
    const db = this.#db
    if (isBatch) {
      const batch = new WriteBatch()
      for (const [key, value, end] of edits) {
        if (end !== undefined) batch.deleteRange(bytes(key), bytes(end))
        else if (value === undefined) batch.delete(bytes(key))
        else batch.put(bytes(key), bytes(value))
      }
      return isSync ? db.writeSync(batch, options) : db.write(batch, options)
    }
    // A range without keys is a write without edits.
    const [key, value, end] = edits[0] ?? ['a', undefined, 'a']
    if (end !== undefined) {
      return isSync
        ? db.deleteRangeSync(bytes(key), bytes(end), options)
        : db.deleteRange(bytes(key), bytes(end), options)
    }
    if (value === undefined) return isSync ? db.deleteSync(bytes(key), options) : db.delete(bytes(key), options)
    return isSync ? db.putSync(bytes(key), bytes(value), options) : db.put(bytes(key), bytes(value), options)
  }

  #edits([key, valueBytes, other]: PlannedEdit): Edit[] {
    if (other === undefined) return [[key, valueBytes < 0 ? undefined : this.#value(valueBytes)]]
    if (key === other) return []
    this.#count('rangeDeletes')
    return [[key, undefined, other]]
  }

  async #fill({ how, writes, valueBytes }: Of<'fill'>): Promise<void> {
    for (let i = 0; i < writes; i++) {
      const written = this.#write(how, [[`fill${i}`, valueBytes]], undefined, false)
      if (how === 'await') await written
    }
  }

  /** Never the same twice, and of no particular length in bytes if that is less than its number needs. */
  #value(length: number): string {
    return `${this.#valueCount++}`.padEnd(length, '.')
  }

  async #settle(): Promise<void> {
    this.#world.releaseSyncs()
    await Promise.all(this.#pending.splice(0))
    assert.equal(this.#history.visibleCount, this.#history.count)
  }

  async #pass(milliseconds: number): Promise<void> {
    const before = this.#history.visibleCount
    await this.#world.pass(milliseconds)
    // The engine's buffer is written out within walBufferMs; only the clock in memory keeps to it exactly.
    if (milliseconds > 10 && this.#world.workers === 0) this.#history.keep(before, 'process')
  }

  async #flush(): Promise<void> {
    const { count } = this.#history
    this.#world.releaseSyncs()
    await this.#db.flush()
    this.#history.keep(count, 'power')
  }

  /** It may be cut off by the closing that follows. */
  async #compact({ from, to, isAwaited }: Of<'compact'>): Promise<void> {
    this.#world.releaseSyncs()
    const compacted = this.#db.compactRange(bytes(from), bytes(to))
    if (isAwaited) await compacted
    else compacted.catch((error) => assert.equal(error.code, 'CLOSED'))
  }

  // Reading.

  async #get({ key, isSync }: Of<'get'>): Promise<void> {
    const possible = this.#history.possibleValues(key)
    const found = isSync ? this.#db.getSync(bytes(key)) : await this.#db.get(bytes(key))
    assertOneOf(possible, text(found), `get ${show(key)}`)
  }

  async #has({ key, isSync }: Of<'has'>): Promise<void> {
    const possible = [...this.#history.possibleValues(key)].map((value) => value !== undefined)
    const found = isSync ? this.#db.hasSync(bytes(key)) : await this.#db.has(bytes(key))
    assertOneOf(new Set(possible), found, `has ${show(key)}`)
  }

  async #getMany({ keys, isSync }: Of<'getMany'>): Promise<void> {
    const possible = keys.map((key) => this.#history.possibleValues(key))
    const asked = keys.map(bytes)
    const found = isSync ? this.#db.getManySync(asked) : await this.#db.getMany(asked)
    assert.equal(found.length, keys.length)
    found.forEach((value, i) => {
      assertOneOf(possible[i], text(value), `getMany ${show(keys[i])}`)
    })
  }

  async #scan({ range, isSync, which }: Of<'scan'>): Promise<void> {
    await this.#settle()
    const past = which % 2 === 0 ? pick(this.#snapshots, which) : undefined
    const expected = scanState(past?.state ?? this.#history.latest, range)
    const options = { ...toOptions(range), ...(past && { snapshot: past.snapshot }) }
    const entries: [string, string][] = []
    if (isSync) for (const entry of this.#db.scanSync(options)) entries.push(texts(entry))
    else for await (const entry of this.#db.scan(options)) entries.push(texts(entry))
    assertEntries(entries, expected, `scan ${JSON.stringify(range)}`)
    const keys = Array.from(this.#db.keysSync(options), text)
    const values = Array.from(this.#db.valuesSync(options), text)
    assert.deepEqual(
      keys,
      expected.map(([key]) => key),
    )
    assert.deepEqual(
      values,
      expected.map(([, value]) => value),
    )
  }

  async #pull(open: OpenScan | undefined, count: number): Promise<void> {
    if (open === undefined) return
    const expected = open.expected.splice(0, count)
    const entries: [string, string][] = []
    for (let i = 0; i < count; i++) {
      const { done, value } = await open.scan.next()
      if (!done) entries.push(texts(value))
    }
    assertEntries(entries, expected, 'an open scan')
  }

  async #closeScan(open: OpenScan | undefined): Promise<void> {
    if (open === undefined) return
    open.scan.close()
    open.expected.length = 0
    assert.equal((await open.scan.next()).done, true)
  }

  async #readSnapshot(past: OpenSnapshot | undefined, key: string): Promise<void> {
    if (past === undefined) return
    const found = await this.#db.get(bytes(key), { snapshot: past.snapshot })
    assert.equal(text(found), past.state.get(key), `get ${show(key)} in a snapshot`)
  }

  #closeSnapshot(past: OpenSnapshot | undefined): void {
    if (past === undefined) return
    past.snapshot.close()
    this.#snapshots.splice(this.#snapshots.indexOf(past), 1)
    assert.throws(() => this.#db.getSync('a', { snapshot: past.snapshot }), { code: 'CLOSED' })
  }

  // Ends and beginnings.

  async #reopen(): Promise<void> {
    this.#world.releaseSyncs()
    await this.#db.close()
    await this.#letGo()
    assert.equal(this.#history.visibleCount, this.#history.count, 'close completes the writes under way')
    this.#history.keep(this.#history.count, 'power')
    await this.#open()
    // Closing or opening was cut off: what that left is what counts.
    if (this.#crash !== undefined) return
    const { entries, discarded, lastSequence } = this.#db.recoveryInfo
    assert.deepEqual({ entries, discarded }, { entries: 0, discarded: [] }, 'close leaves an empty log')
    assert.equal(lastSequence, this.#history.sequence)
    this.#history.restartAt(this.#history.count)
    await this.#compareAll()
  }

  /** The files are as a crash leaves them at this moment; the process learns of it later. */
  #crashNow(kind: CrashKind, seed: number): void {
    if (this.#crash !== undefined) return
    const usable = this.#world.crashes.includes(kind) ? kind : this.#world.crashes[0]
    const world = this.#world.crash(usable, seed)
    this.#crash = { world, keptMin: this.#history.keptCount(usable), keptMax: this.#history.count }
  }

  async #recover({ world, keptMin, keptMax }: Crash): Promise<void> {
    this.#world.releaseSyncs()
    await this.#db.close()
    await this.#letGo()
    this.#world.dispose()
    this.#world = world
    this.#crash = undefined
    await this.#open()
    const { lastSequence, discarded } = this.#db.recoveryInfo
    const kept = this.#history.countAtSequence(lastSequence, keptMax)
    assert.ok(kept >= keptMin, `${kept} writes survived the crash, but ${keptMin} had to`)
    this.#count('crashes')
    this.#count('lost', keptMax - kept)
    this.#count('discarded', discarded.length)
    this.#history.restartAt(kept)
    await this.#compareAll()
  }

  /** The database was closed: what it had handed out says so, and what was under way has ended. */
  async #letGo(): Promise<void> {
    await Promise.all(this.#pending.splice(0))
    for (const { scan, expected } of this.#scans.splice(0)) {
      if (expected.length > 0) await assert.rejects(async () => scan.next(), { code: 'CLOSED' })
    }
    for (const { snapshot } of this.#snapshots.splice(0)) snapshot.close()
  }

  async #compareAll(): Promise<void> {
    const expected = scanState(this.#history.latest, {})
    const entries: [string, string][] = []
    for await (const entry of this.#db.scan()) entries.push(texts(entry))
    assertEntries(entries, expected, 'everything')
    for (const [key, value] of expected) assert.equal(text(this.#db.getSync(bytes(key))), value)
  }
}
