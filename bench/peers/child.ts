/**
 * child: the process of one peer in one scene. It takes the steps that it is told to, in turn with the others, and answers each
 * with its figures; what is not the call itself is not timed. Its argument is a ChildSpec.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { perform } from '../calls.ts'
import { settle } from '../measurement.ts'
import { serve } from '../stopped-child.ts'
import type { Subject } from '../subject.ts'
import { Tally } from '../tally.ts'
import { openPeer, type PeerName } from './peers.ts'
import type { Step } from './scenes.ts'
import { WorkMaker } from './work.ts'

export interface ChildSpec {
  readonly peer: PeerName
  readonly keyFile: string
  readonly directory: string
  readonly isDurable: boolean
  readonly writeBufferBytes: number
  readonly cacheBytes: number
  /** Of `before`. */
  readonly build: string | undefined
}

export interface StepRequest {
  readonly step: Step
  readonly isFresh: boolean
  /** Does not count. */
  readonly isWarmUp: boolean
  readonly seed: number
}

export interface StepAnswer {
  readonly elapsedMs: number
  /** Of what was read, or of what is there after a write: the same for all peers. */
  readonly count: number
  readonly checksum: number
}

/** Threads that an engine starts when it is opened are there by then. */
const START_MS = 50
const CHECKED_ENTRIES_MAX = 200_000
const READS = ['get', 'getSync', 'scan', 'scanBest', 'scanInPlace', 'range', 'mixed']

class PeerChild {
  readonly #spec: ChildSpec
  readonly #work: WorkMaker
  #subject: Subject | undefined = undefined
  #databases = 0
  #isSettled = true

  constructor(spec: ChildSpec) {
    this.#spec = spec
    this.#work = new WorkMaker(spec.keyFile)
  }

  async take({ step, isFresh, isWarmUp, seed }: StepRequest): Promise<StepAnswer> {
    const subject = isFresh || this.#subject === undefined ? await this.#openFresh() : this.#subject
    if (subject.keysAreMissing !== undefined) subject.keysAreMissing = step.source === 'missing'
    const work = this.#work.make(step, seed)
    const isRead = READS.includes(step.call)
    if (isRead && !isWarmUp) await this.#settle()
    if (!isRead || step.call === 'mixed') this.#isSettled = false
    globalThis.gc?.()
    const startMs = performance.now()
    const read = await perform(step.call, subject, work)
    const elapsedMs = performance.now() - startMs
    const { count, checksum } = isRead ? read : await this.#contents(subject)
    return { elapsedMs, count, checksum }
  }

  async close(): Promise<void> {
    await this.#subject?.close()
    this.#subject = undefined
    rmSync(this.#directory, { recursive: true, force: true })
  }

  get #directory(): string {
    return join(this.#spec.directory, `${this.#spec.peer}-${this.#databases}`)
  }

  async #openFresh(): Promise<Subject> {
    await this.close()
    this.#databases++
    const { peer, isDurable, writeBufferBytes, cacheBytes, build } = this.#spec
    this.#subject = await openPeer(peer, this.#directory, { isDurable, writeBufferBytes, cacheBytes }, build)
    await delay(START_MS)
    return this.#subject
  }

  /** Background work of the writes before is not the reads' burden. */
  async #settle(): Promise<void> {
    if (this.#isSettled || this.#spec.peer === 'memory-level') return
    await settle(this.#directory)
    this.#isSettled = true
  }

  /** Nothing of a large database, which the steps after it read as a whole. */
  async #contents(subject: Subject): Promise<Tally> {
    const tally = new Tally()
    if (this.#work.count(CHECKED_ENTRIES_MAX) === CHECKED_ENTRIES_MAX) return tally
    await subject.scanBest(false, tally)
    return tally
  }
}

const child = new PeerChild(JSON.parse(process.argv[2]) as ChildSpec)
serve<StepRequest>(
  (request) => child.take(request),
  () => child.close(),
)
