/**
 * What may be dropped: whatever a compaction or a flush throws away, every snapshot that is open sees what it saw before, and so
 * does a read of now. Thousands of small random histories on the whole engine: inline, where a failure repeats exactly, and with
 * worker threads, where flushes that expand range deletes run beside compactions. VARVE_SEED repeats a run, VARVE_RUNS sets the
 * number of histories.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import type { Snapshot } from '../../src/db/snapshot.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { WriteBatch } from '../../src/public/index.ts'
import { withDirectory } from '../compat/engines.ts'

const seed = Number(process.env.VARVE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const runs = Number(process.env.VARVE_RUNS ?? 800)

const KEYS = 9
const SMALL: Options = { writeBufferBytes: 4096, maxFileBytes: 4096, levelBytes: 4096 }

type State = ReadonlyMap<string, string>

function keyOf(i: number): string {
  return `key${i}`
}

class History {
  readonly #db: DB
  readonly #prng: Prng
  readonly #valueBytes: number
  readonly #state = new Map<string, string>()
  readonly #snapshots: { readonly snapshot: Snapshot; readonly state: State }[] = []
  #valueCount = 0
  checks = 0

  constructor(db: DB, prng: Prng, valueBytes: number) {
    this.#db = db
    this.#prng = prng
    this.#valueBytes = valueBytes
  }

  async run(steps: number, isAwaited: boolean): Promise<void> {
    const running: Promise<void>[] = []
    for (let i = 0; i < steps; i++) {
      await this.#step(isAwaited, running)
      if (!isAwaited && i % 10 === 9) this.#check('while compactions run')
    }
    this.#check('before compacting')
    await Promise.all(running)
    await this.#db.compactRange()
    this.#check('compacted')
    // With fewer snapshots more may go.
    while (this.#snapshots.length > 0) {
      this.#closeSnapshot()
      await this.#db.compactRange()
      this.#check('compacted with fewer snapshots')
    }
  }

  /** What is there in the end. */
  get state(): State {
    return this.#state
  }

  async #step(isAwaited: boolean, running: Promise<void>[]): Promise<void> {
    const kind = this.#prng.below(24)
    if (kind < 16) this.#db.writeSync(this.#batch(kind < 12 ? 1 : 1 + this.#prng.below(5)))
    else if (kind < 19) this.#snapshots.push({ snapshot: this.#db.snapshot(), state: new Map(this.#state) })
    else if (kind < 20) this.#closeSnapshot()
    else if (kind < 23) {
      const flushed = this.#db.flush()
      if (isAwaited) await flushed
      else running.push(flushed)
    } else {
      const compacted = this.#db.compactRange(keyOf(this.#prng.below(KEYS)), keyOf(KEYS))
      if (isAwaited) await compacted
      else running.push(compacted)
    }
  }

  #batch(count: number): WriteBatch {
    const batch = new WriteBatch()
    for (let i = 0; i < count; i++) {
      const [a, b] = [this.#prng.below(KEYS), this.#prng.below(KEYS)]
      const kind = this.#prng.below(10)
      if (kind < 5) {
        const value = `${this.#valueCount++}`.padEnd(this.#prng.below(this.#valueBytes), '.')
        batch.put(keyOf(a), value)
        this.#state.set(keyOf(a), value)
      } else if (kind < 8) {
        batch.delete(keyOf(a))
        this.#state.delete(keyOf(a))
      } else {
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        batch.deleteRange(keyOf(start), keyOf(end))
        for (let k = start; k < end; k++) this.#state.delete(keyOf(k))
      }
    }
    return batch
  }

  #closeSnapshot(): void {
    if (this.#snapshots.length === 0) return
    const [{ snapshot }] = this.#snapshots.splice(this.#prng.below(this.#snapshots.length), 1)
    snapshot.close()
  }

  #check(when: string): void {
    this.#compare(undefined, this.#state, `${when}, now`)
    for (const [i, { snapshot, state }] of this.#snapshots.entries()) {
      this.#compare(snapshot, state, `${when}, snapshot ${i} of ${this.#snapshots.length}`)
    }
  }

  #compare(snapshot: Snapshot | undefined, state: State, what: string): void {
    const options = snapshot === undefined ? {} : { snapshot }
    const expected = [...state].sort(([a], [b]) => (a < b ? -1 : 1))
    const text = ([key, value]: readonly Uint8Array[]): string[] => [`${Buffer.from(key)}`, `${Buffer.from(value)}`]
    assert.deepEqual(Array.from(this.#db.scanSync(options), text), expected, what)
    assert.deepEqual(Array.from(this.#db.scanSync({ ...options, reverse: true }), text), expected.reverse(), what)
    for (let i = 0; i < KEYS; i++) {
      const found = this.#db.getSync(keyOf(i), options)
      assert.equal(found && `${Buffer.from(found)}`, state.get(keyOf(i)), `${what}, ${keyOf(i)}`)
    }
    this.checks++
  }
}

function drawnOptions(prng: Prng): Options {
  const level0CompactionTrigger = [1, 2, 12][prng.below(3)]
  return {
    ...SMALL,
    level0CompactionTrigger,
    blockBytes: [1, 4096][prng.below(2)],
    bloomBitsPerKey: prng.below(2) * 10,
  }
}

async function runOne(
  directory: string,
  options: Options,
  prng: Prng,
  steps: number,
  valueBytes: number,
): Promise<number> {
  const isInline = options.workers === 0
  const db = await open(directory, options)
  const history = new History(db, prng, valueBytes)
  await history.run(steps, isInline)
  await db.close()
  const again = await open(directory, options)
  const left = Array.from(again.keysSync(), (key) => `${Buffer.from(key)}`)
  assert.deepEqual(left, [...history.state.keys()].sort())
  await again.close()
  return history.checks
}

test(`no compaction drops what a snapshot sees, in ${runs} small histories (VARVE_SEED=${seed})`, async (t) => {
  let checks = 0
  for (let run = 0; run < runs; run++) {
    const prng = new Prng(seed + run)
    const options = { ...drawnOptions(prng), workers: 0, environment: new MemoryEnvironment() }
    try {
      checks += await runOne('/db', options, prng, 10 + prng.below(50), [4, 40, 900][prng.below(3)])
    } catch (error) {
      throw new Error(`VARVE_SEED=${seed + run} VARVE_RUNS=1`, { cause: error })
    }
  }
  t.diagnostic(`${checks} states compared`)
})

for (const workers of [1, 2]) {
  test(`nor with flushes beside compactions on worker threads: ${workers} (VARVE_SEED=${seed})`, async () => {
    for (let run = 0; run < 3; run++) {
      await withDirectory(async (directory) => {
        const prng = new Prng(seed + run)
        await runOne(directory, { ...drawnOptions(prng), workers }, prng, 400, 900)
      })
    }
  })
}
