/**
 * child: the process of one engine in a growth run. It runs the segments that it is told to, and answers each with its
 * figures. Between two segments it is stopped by the parent, background threads included.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { LevelSubject } from '../level-subject.ts'
import { settle } from '../measurement.ts'
import { serve } from '../stopped-child.ts'
import type { Subject } from '../subject.ts'
import { VarveSubject } from '../varve-subject.ts'
import type { EngineName } from '../workloads.ts'
import { CACHED, isRead, KEY_BYTES, Plan, type PlanOptions, type Segment, VALUE_BYTES } from './plan.ts'

export interface GrowthSpec extends PlanOptions {
  readonly engine: EngineName
  readonly directory: string
  readonly writeBufferBytes: number
  readonly cacheBytes: number
  /** Block cache of the phase CACHED. */
  readonly largeCacheBytes: number
}

/** What one engine did in one segment. */
export interface SegmentFigures {
  readonly segment: number
  readonly operations: number
  readonly elapsedMs: number
  /** Of single awaited writes, one for each window; empty for reads. */
  readonly putMs: { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number }
  readonly loopDelayMs: { readonly p99: number; readonly max: number }
  readonly rssBytes: number
  /** Bytes handed to write calls by all threads so far, over the bytes of keys and values written so far. */
  readonly writeAmplification: number
  /** Bytes of the directory over the bytes of the keys and values that are there. */
  readonly spaceAmplification: number
}

const WINDOW = 100
/** No block has fewer entries. */
const WARMING_STEP = 16

class GrowthRun {
  readonly #spec: GrowthSpec
  readonly #plan: Plan
  #subject: Subject
  #isCached = false
  readonly #writtenBefore: number
  #userBytes = 0

  constructor(spec: GrowthSpec, subject: Subject) {
    this.#spec = spec
    this.#plan = new Plan(spec)
    this.#subject = subject
    this.#writtenBefore = writtenBytes()
  }

  async run(index: number): Promise<SegmentFigures> {
    const segment = this.#plan.segments[index]
    if (segment.phase === CACHED && !this.#isCached) await this.#reopenCached()
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const putMs: number[] = []
    delay.enable()
    let elapsedMs = 0
    for (let begin = segment.begin; begin < segment.limit; begin += WINDOW) {
      const limit = Math.min(begin + WINDOW, segment.limit)
      elapsedMs += isRead(segment.phase)
        ? await this.#read(segment, begin, limit)
        : await this.#write(segment, begin, limit, putMs)
    }
    delay.disable()
    putMs.sort((a, b) => a - b)
    const liveBytes = this.#plan.liveCount * (KEY_BYTES + VALUE_BYTES)
    return {
      segment: index,
      operations: segment.limit - segment.begin,
      elapsedMs,
      putMs: {
        p50: quantile(putMs, 0.5),
        p99: quantile(putMs, 0.99),
        p999: quantile(putMs, 0.999),
        max: putMs.at(-1) ?? 0,
      },
      loopDelayMs: { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 },
      rssBytes: process.memoryUsage.rss(),
      writeAmplification: (writtenBytes() - this.#writtenBefore) / this.#userBytes,
      spaceAmplification: directoryBytes(this.#spec.directory) / liveBytes,
    }
  }

  close(): Promise<void> {
    return this.#subject.close()
  }

  /** From here on with the large cache, no compaction left to do, and every block read twice. */
  async #reopenCached(): Promise<void> {
    const plan = this.#plan
    this.#isCached = true
    await this.#subject.close()
    this.#subject = await openSubject(this.#spec, this.#spec.largeCacheBytes)
    for (let pass = 1; pass <= 2; pass++) {
      await settle(this.#spec.directory)
      let reads = 0
      for (const index of plan.present(WARMING_STEP)) {
        plan.check(index, this.#subject.getSync(plan.key(index)))
        if (++reads % WINDOW === 0) await turn()
      }
    }
  }

  /** All but the last write of a window are in flight together; the last one is awaited alone. */
  async #write(segment: Segment, begin: number, limit: number, putMs: number[]): Promise<number> {
    const plan = this.#plan
    const subject = this.#subject
    const isDelete = segment.phase === 'delete'
    const indexes: number[] = []
    for (let i = begin; i < limit; i++) indexes.push(plan.keyIndex(segment, i))
    const keys = indexes.map((index) => plan.key(index))
    const values = indexes.map((index) => plan.value(index, segment))
    const last = keys.length - 1
    const pending: Promise<void>[] = []
    const start = performance.now()
    for (let i = 0; i < last; i++) pending.push(isDelete ? subject.delete(keys[i]) : subject.put(keys[i], values[i]))
    await Promise.all(pending)
    const middle = performance.now()
    await (isDelete ? subject.delete(keys[last]) : subject.put(keys[last], values[last]))
    const end = performance.now()
    putMs.push(end - middle)
    for (const index of indexes) {
      if (isDelete) plan.deleted(index)
      else plan.wrote(index, segment)
    }
    this.#userBytes += keys.length * (KEY_BYTES + (isDelete ? 0 : VALUE_BYTES))
    return end - start
  }

  async #read(segment: Segment, begin: number, limit: number): Promise<number> {
    const plan = this.#plan
    const indexes: number[] = []
    for (let i = begin; i < limit; i++) indexes.push(plan.keyIndex(segment, i))
    const keys = indexes.map((index) => plan.key(index))
    const start = performance.now()
    const values = keys.map((key) => this.#subject.getSync(key))
    const elapsedMs = performance.now() - start
    values.forEach((value, i) => {
      plan.check(indexes[i], value)
    })
    // Reading does not yield by itself; background work that waits for the event loop must not starve.
    await turn()
    return elapsedMs
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function openSubject(spec: GrowthSpec, cacheBytes: number): Promise<Subject> {
  const options = { writeBufferBytes: spec.writeBufferBytes, cacheBytes, isDurable: false }
  const { engine, directory } = spec
  return engine === 'varve' ? VarveSubject.open(directory, options) : LevelSubject.open(directory, options)
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function writtenBytes(): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1])
}

function directoryBytes(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => {
    return sum + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0)
  }, 0)
}

const spec = JSON.parse(process.argv[2]) as GrowthSpec
const run = new GrowthRun(spec, await openSubject(spec, spec.cacheBytes))
serve<number>(
  (index) => run.run(index),
  () => run.close(),
)
