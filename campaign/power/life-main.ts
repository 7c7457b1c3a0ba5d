/**
 * A program that lives on a disk that may lose power or fail: for each request (life.ts), a line of JSON on its standard input, it
 * opens the database, checks what is there, and goes on writing numbered batches. It tells on descriptor 3.
 */
import { existsSync, readdirSync, writeSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Prng } from '../../src/base/prng.ts'
import {
  CorruptionError,
  type DB,
  type Durability,
  type Options,
  open,
  VarveError,
  verify,
} from '../../src/public/index.ts'
import { batchOf, VarveEngine } from '../engines/varve-engine.ts'
import { makeBatch } from '../kill/batches.ts'
import { checkBatches, LifeError } from '../kill/check-batches.ts'
import { messageOf } from '../minimize.ts'
import type { LifeRequest, Told } from './life.ts'

const KIB = 1024
/** With what else is there. */
const COPIES_MAX = 4
/** Openings after failures. */
const OPENINGS_MAX = 6
const DURABILITIES: readonly Durability[] = ['buffered', 'os', 'os', 'disk', 'disk']

function tell(told: Told): void {
  writeSync(3, `${JSON.stringify(told)}\n`)
}

class Life {
  readonly #request: LifeRequest
  readonly #prng: Prng
  readonly #directory: string
  readonly #options: Options
  #db: DB | undefined
  #next = 0
  #limit = 0
  /** The last batch that is durable for certain. */
  #durable: number
  #isAbandoned = false
  #copyCount: number
  /** What goes on beside the writes. */
  readonly #beside: Promise<unknown>[] = []

  constructor(request: LifeRequest) {
    this.#request = request
    this.#prng = new Prng(request.seed)
    this.#directory = join(request.directory, 'db')
    this.#durable = request.low
    this.#copyCount = readdirSync(request.directory).length
    this.#options = {
      writeBufferBytes: this.#pick([16, 32, 64]) * KIB,
      maxImmutableMemTables: this.#pick([1, 2, 4]),
      level0CompactionTrigger: 2,
      maxFileBytes: this.#pick([8, 32]) * KIB,
      levelBytes: 32 * KIB,
      // A disk that fails may leave no room.
      stallTimeoutMs: 5000,
      workers: this.#pick(request.batches < 40 ? [0, 0, 0, 1, 2] : [0, 1, 2, 2]),
    }
  }

  /** @throws LifeError, and what the disk's failures make of it */
  async run(): Promise<void> {
    await this.#open(this.#request.low)
    // Each takes as long as the database.
    const copies = this.#prng.below(3) === 0 ? this.#copies() : []
    for (const [name, last] of copies) await this.#checkCopy(name, last)
    this.#limit = this.#next + this.#request.batches
    while (this.#next < this.#limit && !this.#isAbandoned) await this.#step()
    await Promise.all(this.#beside.splice(0))
    if (this.#request.end === 'closed') await this.#close()
  }

  /** Go on after a failure, as far as the disk lets it. */
  async again(): Promise<void> {
    await Promise.allSettled(this.#beside.splice(0))
    await this.#db?.close().catch(() => {})
    this.#db = undefined
    await sleep(this.#prng.below(30))
    await this.#open(this.#durable)
    this.#limit = Math.max(this.#limit, this.#next + 10)
    while (this.#next < this.#limit && !this.#isAbandoned) await this.#step()
    await Promise.all(this.#beside.splice(0))
    await this.#close()
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  async #open(low: number): Promise<void> {
    const isThere = existsSync(join(this.#directory, 'CURRENT'))
    if (!isThere && low >= 0) throw new LifeError(`CURRENT is missing, and batch ${low} was acknowledged`)
    const said = isThere ? await this.#verify(this.#directory, ['damage']) : 0
    const db = await open(this.#directory, this.#options)
    this.#db = db
    if (!this.#request.isFaulty && db.recoveryInfo.discarded.length > said) {
      throw new LifeError(`the opening discards what verify did not find: ${JSON.stringify(db.recoveryInfo.discarded)}`)
    }
    const found = (await checkBatches(new VarveEngine(db), low, Number.POSITIVE_INFINITY)) - 1
    this.#next = found + 1
    tell({ found })
  }

  async #close(): Promise<void> {
    const db = this.#db
    if (db === undefined) return
    this.#db = undefined
    await db.close()
    this.#tellDurable(this.#next - 1)
    await this.#verify(this.#directory, ['damage', 'warning'])
  }

  /** @returns how many warnings there are @throws LifeError if there is anything of these kinds */
  async #verify(directory: string, wrong: readonly string[]): Promise<number> {
    // A file that the disk does not give is damage, too.
    if (this.#request.isFaulty) return 0
    const { findings } = await verify(directory)
    const bad = findings.filter(({ severity }) => wrong.includes(severity))
    if (bad.length > 0) throw new LifeError(`verify finds: ${JSON.stringify(bad)}`)
    return findings.filter(({ severity }) => severity === 'warning').length
  }

  /** What must be there of copies, and what may be. */
  #copies(): Map<string, number> {
    const names = readdirSync(this.#request.directory).filter((name) => name.startsWith('copy'))
    return new Map([...names.map((name): [string, number] => [name, -1]), ...this.#request.copies])
  }

  async #checkCopy(name: string, last: number): Promise<void> {
    const directory = join(this.#request.directory, name)
    if (last < 0 && !existsSync(join(directory, 'CURRENT'))) return
    await this.#verify(directory, ['damage'])
    const copy = await open(directory, { ...this.#options, createIfMissing: false })
    try {
      await checkBatches(new VarveEngine(copy), last, Number.POSITIVE_INFINITY)
    } finally {
      await copy.close()
    }
  }

  async #step(): Promise<void> {
    const db = this.#db!
    switch (this.#prng.below(24)) {
      case 0: {
        const last = this.#next - 1
        await db.flush()
        return this.#tellDurable(last)
      }
      case 1:
        this.#goOn(db.compactRange())
        return
      case 2:
        await Promise.all(this.#beside.splice(0))
        await this.#close()
        return this.#open(this.#durable)
      case 3:
        return this.#copy(db)
      case 4:
      case 5:
        return this.#stir()
      case 6:
        await sleep(this.#prng.below(30))
        return
      default:
        return this.#write(db)
    }
  }

  /** Some batches: of one turn, of several, or synchronously beside those of a turn. */
  async #write(db: DB): Promise<void> {
    const count = 1 + this.#prng.below(this.#pick([1, 4, 30]))
    const isBeside = this.#prng.below(3) === 0
    const first = this.#next
    const written: Promise<void>[] = []
    for (let i = first; i < first + count; i++) {
      this.#next++
      const durability = this.#pick(DURABILITIES)
      const isSync = this.#prng.below(4) === 0
      if (isBeside) await new Promise((resolve) => setImmediate(resolve))
      const one = this.#writeOne(db, i, durability, isSync)
      // Those of later turns are not there yet, with which it is waited for.
      one.catch(() => {})
      written.push(one)
    }
    const outcomes = await Promise.allSettled(written)
    const failed = outcomes.findIndex(({ status }) => status === 'rejected')
    if (failed < 0) return
    this.#isAbandoned = outcomes.slice(failed).some(({ status }) => status === 'fulfilled')
    throw (outcomes[failed] as PromiseRejectedResult).reason
  }

  async #writeOne(db: DB, i: number, durability: Durability, isSync: boolean): Promise<void> {
    const batch = batchOf(makeBatch(i))
    if (isSync) db.writeSync(batch, { durability })
    else await db.write(batch, { durability })
    if (durability === 'disk') this.#tellDurable(i)
  }

  async #copy(db: DB): Promise<void> {
    if (this.#copyCount >= COPIES_MAX) return
    // A copy of an earlier life may be there in part, and of this one not yet.
    const name = `copy-${this.#request.seed}-${this.#copyCount++}`
    const last = this.#next - 1
    const copied = db.checkpoint(join(this.#request.directory, name)).then(() => tell({ copied: [name, last] }))
    if (this.#prng.below(2) === 0) await copied
    else this.#goOn(copied)
  }

  /** Have the system write some file now, as it may at any time. A failure would be told to nobody else: not on a disk that fails. */
  async #stir(): Promise<void> {
    if (this.#request.isFaulty) return
    const names = readdirSync(this.#directory)
    const file = await openFile(join(this.#directory, this.#pick(names)), 'r').catch(() => undefined)
    await file?.datasync()
    await file?.close()
  }

  #tellDurable(last: number): void {
    if (last <= this.#durable) return
    this.#durable = last
    tell({ durable: last })
  }

  #goOn(promise: Promise<unknown>): void {
    // Whoever waits for all of them hears of it.
    promise.catch(() => {})
    this.#beside.push(promise)
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#prng.below(from.length)]
  }
}

/** @throws LifeError */
async function live(request: LifeRequest): Promise<void> {
  const life = new Life(request)
  for (let openings = 1; ; openings++) {
    try {
      return await (openings === 1 ? life.run() : life.again())
    } catch (error) {
      if (!request.isFaulty || !isOfDisk(error)) throw error
      tell({ refused: (error as VarveError).code ?? 'unknown' })
      if (life.isAbandoned) return tell('abandoned')
      if (openings === OPENINGS_MAX) return
    }
  }
}

/** What a disk that fails may make an operation of the database say; or one of the system, here. */
function isOfDisk(error: unknown): boolean {
  if (error instanceof LifeError || error instanceof CorruptionError) return false
  return error instanceof VarveError || (error as { syscall?: string }).syscall !== undefined
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as LifeRequest
  try {
    await live(request)
  } catch (error) {
    tell({ broken: messageOf(error) })
  }
  tell('over')
  if (request.end === 'killed') process.kill(process.pid, 'SIGKILL')
}
