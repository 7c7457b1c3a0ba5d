/**
 * A durable job queue in one database. A job is claimed for a time; who claimed it completes it before that time is over, or
 * somebody else gets it.
 *
 *   due/<time>/<id>   the one index: when a job may be claimed next. 16 digits, so that key order is the order of time
 *   job/<id>          the job
 *   done/<id>         its result, or `dead/<id>` and its last error
 *
 * No locks   A claim reads the first due key and moves it into the future, both synchronously: nothing runs in between.
 * No loss    A job is under `due` until it is under `done` or `dead`; one batch does both. A crash changes nothing about that.
 * Once       A claim that is too late finds its due key gone, and is refused: no job has two results. What a worker does
 *            outside of this database may happen twice, if it dies before it completes.
 * No crawl   What was deleted lies at the head of the queue as tombstones, until it has been flushed and compacted. A scan
 *            that began at `due/` would step over all of them, every time; so it begins at the first key that can be there.
 */
import { type DB, WriteBatch } from '../../src/public/index.ts'

export interface Job {
  readonly id: string
  readonly payload: string
  readonly attempts: number
}

/** What `claim` gives: complete it or fail it, with `dueKey` as the proof that it is still yours. */
export interface Claim {
  readonly job: Job
  readonly dueKey: string
}

export interface QueueOptions {
  /** How long a claimed job is nobody else's. */
  readonly visibilityMs: number
  readonly attemptsMax: number
  /** Before a job that failed is tried again; doubled every time. */
  readonly retryMs: number
}

const decoder = new TextDecoder()

export class JobQueue {
  readonly #db: DB
  readonly #options: QueueOptions
  #lastId: number
  /** No due key sorts before it. */
  #head = 'due/'

  constructor(db: DB, options: QueueOptions) {
    this.#db = db
    this.#options = options
    this.#lastId = Number(this.#read('last-id') ?? 0)
  }

  /** @returns the job's id, once the job is as durable as the database's writes are; many at once share one write */
  async enqueue(payload: string): Promise<string> {
    const id = digits(++this.#lastId)
    const job: Job = { id, payload, attempts: 0 }
    const due = this.#dueKey(Date.now(), id)
    await this.#db.write(new WriteBatch().put('last-id', id).put(due, '').put(`job/${id}`, JSON.stringify(job)))
    // Until now no claim saw the job; one may have taken a job that was due later, and moved the head past this one.
    this.#lowerHead(due)
    return id
  }

  /** The job that has been due longest, for `visibilityMs`; undefined if none is due. */
  claim(): Claim | undefined {
    const now = Date.now()
    for (const [key] of this.#db.scanSync({ gte: this.#head, lt: dueKey(now + 1, ''), limit: 1 })) {
      const due = decoder.decode(key)
      this.#head = due
      const before = this.#job(due.slice(-DIGITS))
      const job = { ...before, attempts: before.attempts + 1 }
      const claim: Claim = { job, dueKey: this.#dueKey(now + this.#options.visibilityMs, job.id) }
      this.#db.writeSync(new WriteBatch().delete(key).put(claim.dueKey, '').put(`job/${job.id}`, JSON.stringify(job)))
      return claim
    }
    return undefined
  }

  /** @returns false if the claim was too late: the job is somebody else's, or has been done */
  complete({ job, dueKey }: Claim, result: string): boolean {
    return this.#end(dueKey, new WriteBatch().delete(`job/${job.id}`).put(`done/${job.id}`, result))
  }

  /** Have the job tried again, later; or never, if that was its last attempt. @returns as complete */
  fail({ job, dueKey: claimed }: Claim, error: string): boolean {
    const { attemptsMax, retryMs } = this.#options
    const batch = new WriteBatch()
    if (job.attempts >= attemptsMax) batch.delete(`job/${job.id}`).put(`dead/${job.id}`, error)
    else batch.put(this.#dueKey(Date.now() + retryMs * 2 ** (job.attempts - 1), job.id), '')
    return this.#end(claimed, batch)
  }

  /** How long until a job is due: 0 if one is, undefined if there is none. */
  nextDueMs(): number | undefined {
    for (const key of this.#db.keysSync({ gte: this.#head, lt: 'due0', limit: 1 })) {
      return Math.max(0, Number(decoder.decode(key).split('/')[1]) - Date.now())
    }
    return undefined
  }

  /** Ids and results of the jobs that are done, or ids and errors of those that never will be. */
  *ended(how: 'done' | 'dead'): Generator<[id: string, text: string]> {
    for (const [key, value] of this.#db.scanSync({ prefix: `${how}/` })) {
      yield [decoder.decode(key).slice(how.length + 1), decoder.decode(value)]
    }
  }

  /** Of a key that is about to be written: it may sort before the head, when the clock was set back. */
  #dueKey(timeMs: number, id: string): string {
    const key = dueKey(timeMs, id)
    this.#lowerHead(key)
    return key
  }

  #lowerHead(key: string): void {
    if (key < this.#head) this.#head = key
  }

  /** As with a claim, nothing runs between the check and the write. */
  #end(dueKey: string, batch: WriteBatch): boolean {
    if (!this.#db.hasSync(dueKey)) return false
    this.#db.writeSync(batch.delete(dueKey))
    return true
  }

  #job(id: string): Job {
    return JSON.parse(this.#read(`job/${id}`) as string)
  }

  #read(key: string): string | undefined {
    const value = this.#db.getSync(key)
    return value && decoder.decode(value)
  }
}

const DIGITS = 16

function digits(number: number): string {
  return String(number).padStart(DIGITS, '0')
}

function dueKey(timeMs: number, id: string): string {
  return `due/${digits(timeMs)}/${id}`
}
