/**
 * What is there of tables while scans, cursors and backups of many ages are open, and compactions go on: all that any of them reads, and
 * nothing else; and what is said of the tables' sizes meanwhile.
 *
 * VARVE_SEED repeats a run; VARVE_RUNS sets the number of runs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { openIn } from './directories.ts'

const seed = Number(process.env.VARVE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const runs = Number(process.env.VARVE_RUNS ?? 6)

/** As of a program to which upper and lower case are the same. */
const byLetters = {
  name: 'test.ByLetters',
  compare: (a: Uint8Array, b: Uint8Array): number => {
    const [x, y] = [a, b].map((key) => Buffer.from(key).toString('latin1').toLowerCase())
    return x < y ? -1 : x > y ? 1 : 0
  },
}

interface Holder {
  /** The tables that were there when it began. */
  readonly tables: readonly number[]
  readonly end: () => Promise<unknown>
}

class Run {
  readonly #draw: Prng
  readonly #memory = new MemoryEnvironment()
  readonly #usesLetters: boolean
  readonly #holders: Holder[] = []
  readonly #model = new Map<string, string>()
  #db!: DB

  constructor(draw: Prng) {
    this.#draw = draw
    this.#usesLetters = draw.below(2) === 0
  }

  async run(): Promise<void> {
    const draw = this.#draw
    const options: Options = {
      maxFileBytes: 4096,
      levelBytes: 4096,
      level0CompactionTrigger: 1 + draw.below(4),
      mergeAtRest: draw.below(2) === 0,
      ...(this.#usesLetters && { comparator: byLetters }),
    }
    this.#db = await openIn(this.#memory, options)
    for (let i = 0; i < 150; i++) {
      await this.#step()
      if (i % 10 === 9) await this.#check()
    }
    for (const { end } of this.#holders.splice(0)) await end()
    await this.#check()
    await this.#db.close()
    assert.equal(this.#memory.files.openCount, 0)
    this.#db = await openIn(this.#memory, options)
    await this.#check()
    await this.#db.close()
  }

  async #step(): Promise<void> {
    const draw = this.#draw
    switch (draw.below(10)) {
      case 0:
      case 1:
      case 2:
        for (let count = draw.below(60); count >= 0; count--) await this.#put()
        return
      case 3:
        return this.#deleteRange()
      case 4:
        return this.#db.flush()
      case 5:
        return this.#compact()
      case 6:
        return this.#hold(this.#scan())
      case 7:
        return this.#hold(await this.#backup())
      case 8:
        this.#memory.runTimers(this.#memory.clock.micros / 1000 + draw.below(500))
        return
      default:
        await this.#holders.splice(draw.below(this.#holders.length || 1), 1)[0]?.end()
    }
  }

  #key(): string {
    const letters = `k${String(this.#draw.below(300)).padStart(3, '0')}x`
    return this.#usesLetters && this.#draw.below(2) === 0 ? letters.toUpperCase() : letters
  }

  #bound(): string | undefined {
    const draw = this.#draw.below(8)
    return draw === 0 ? undefined : draw === 1 ? '' : draw === 2 ? 'z' : this.#key()
  }

  async #put(): Promise<void> {
    const key = this.#key()
    const value = `${key}${'.'.repeat(this.#draw.below(200))}`
    if (this.#draw.below(4) === 0) {
      this.#model.delete(key.toLowerCase())
      await this.#db.delete(key)
    } else {
      this.#model.set(key.toLowerCase(), value)
      await this.#db.put(key, value)
    }
  }

  async #deleteRange(): Promise<void> {
    const [start, end] = [this.#key(), this.#key()].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    for (const key of [...this.#model.keys()]) {
      if (key >= start.toLowerCase() && key < end.toLowerCase()) this.#model.delete(key)
    }
    await this.#db.deleteRange(start, end)
  }

  async #compact(): Promise<void> {
    const controller = new AbortController()
    const { signal } = controller
    const compacted = [this.#bound(), this.#bound()].map(async (start) => {
      await this.#db.compactRange(start, this.#bound(), { signal }).catch((error: { code: string }) => {
        assert.equal(error.code, 'ABORTED')
      })
    })
    if (this.#draw.below(3) === 0) {
      for (let turns = this.#draw.below(6); turns > 0; turns--) await turn()
      controller.abort()
    }
    await Promise.all(compacted)
  }

  #hold(holder: Holder): void {
    this.#holders.push(holder)
  }

  #scan(): Holder {
    const expected = this.#expected()
    const tables = this.#tables()
    const scan = this.#db.scanSync()
    const seen: string[] = []
    const next = (): boolean => {
      const { value, done } = scan.next()
      if (!done) seen.push(String(Buffer.from(value[1])))
      return !done
    }
    for (let count = this.#draw.below(5); count > 0; count--) next()
    return {
      tables,
      end: async () => {
        if (this.#draw.below(2) === 0) {
          while (next());
          assert.deepEqual(seen, expected)
        }
        scan.close()
      },
    }
  }

  async #backup(): Promise<Holder> {
    const backup = this.#db.backup()
    await backup.next()
    return { tables: this.#tables(), end: () => backup.return!() }
  }

  #expected(): string[] {
    return [...this.#model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
  }

  #tables(): number[] {
    return this.#db.stats().tables.map(({ number }) => number)
  }

  async #check(): Promise<void> {
    await this.#db.flush()
    for (let idle = 0; idle < 3; idle = this.#db.stats().isCompacting ? 0 : idle + 1) await turn()
    const needed = new Set([...this.#tables(), ...this.#holders.flatMap(({ tables }) => tables)])
    const there = this.#memory
      .paths()
      .flatMap((path) => /(\d+)\.ldb$/.exec(path)?.slice(1) ?? [])
      .map(Number)
    assert.deepEqual(
      there.sort((a, b) => a - b),
      [...needed].sort((a, b) => a - b),
    )
    assert.deepEqual(
      Array.from(this.#db.scanSync(), ([, value]) => String(Buffer.from(value))),
      this.#expected(),
    )
    await this.#checkSizes()
  }

  async #checkSizes(): Promise<void> {
    const db = this.#db
    const ends = ['', ...Array.from({ length: 6 }, () => this.#key()), 'z'].sort((a, b) =>
      a.toLowerCase() < b.toLowerCase() ? -1 : 1,
    )
    const parts = await db.approximateSizes(ends.slice(1).map((end, i) => ({ start: ends[i], end })))
    const { tables } = db.stats()
    const whole = bytesOf(tables)
    const sum = parts.reduce((a, b) => a + b, 0)
    assert.deepEqual([sum, await db.approximateSize('', 'z'), await db.approximateSize('z', '')], [whole, whole, 0])
    for (const [i, part] of parts.entries()) {
      const [start, end] = [lower(ends[i]), lower(ends[i + 1])]
      const touched = tables.filter(({ smallest, largest }) => lower(largest) >= start && lower(smallest) < end)
      const inside = touched.filter(({ smallest, largest }) => lower(smallest) >= start && lower(largest) < end)
      assert.ok(part >= bytesOf(inside) && part <= bytesOf(touched), `${part} from ${start} to ${end}`)
    }
  }
}

function lower(key: string | Uint8Array): string {
  return (typeof key === 'string' ? key : String(Buffer.from(key))).toLowerCase()
}

function bytesOf(tables: readonly { readonly bytes: number }[]): number {
  return tables.reduce((sum, { bytes }) => sum + bytes, 0)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test(`tables are there for as long as anybody reads them, and no longer, and sizes add up (VARVE_SEED=${seed})`, async () => {
  for (let run = 0; run < runs; run++) await new Run(new Prng(seed + run)).run()
})
