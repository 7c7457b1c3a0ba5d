/**
 * PowerCuts: lives on disks, and what a loss of power leaves of them.
 *
 * A round: an empty file system, a life on it, with failures of the disk in some rounds; then cuts of that life at positions of the
 * disk's log, each with what of the writes behind the last flush remains. What is left is mounted, which has the file system
 * replay its journal, and is lived on: the database has to open there, hold all that was told to be durable before the cut, and
 * whole batches without a hole, and go on. Some of those lives are cut in turn, mostly while they recover.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng } from '../../src/base/prng.ts'
import { Disk, type Fault, type Pages, REMAINS } from './disk.ts'
import { DISK_BYTES, type FileSystem } from './file-systems.ts'
import { type Copied, type Heard, Life, type LifeRequest } from './life.ts'
import { execute, type MountedDisk } from './mounted-disk.ts'

/** Cuts of a first life, and of one that began with a cut. */
const CUTS = 12
const FURTHER_CUTS = 2
const DEPTH_MAX = 3
/** Batches of a first life, at least. */
const MANY = 40
const FAILURES = [1, 1, 3, 40, Number.POSITIVE_INFINITY]
const BAD_BYTES = 256 * 1024

/** Whoever wants to know what is found. */
export interface Watcher {
  /** Whether what breaks a promise is kept for people. */
  readonly isKept: boolean
  isOver(): boolean
  count(what: string, by?: number): void
  finding(kind: string, details: string): void
}

/** What happened on a disk. */
interface Past {
  readonly disk: Disk
  readonly heard: readonly Heard[]
  /** What must be there of what was before. */
  readonly low: number
  readonly copies: readonly Copied[]
  readonly system: FileSystem
  readonly options: string
  /** Whether the disk has failed on the way. */
  readonly isFaulty: boolean
  readonly where: string
}

export class PowerCuts {
  readonly #mounted: MountedDisk
  readonly #empty: ReadonlyMap<FileSystem, Pages>
  readonly #watcher: Watcher
  readonly #prng: Prng
  readonly #life: Life

  constructor(mounted: MountedDisk, empty: ReadonlyMap<FileSystem, Pages>, watcher: Watcher, seed: number) {
    this.#mounted = mounted
    this.#empty = empty
    this.#watcher = watcher
    this.#prng = new Prng(seed)
    this.#life = new Life(() => mounted.position)
  }

  async round(system: FileSystem, isFaulty: boolean): Promise<void> {
    const prng = this.#prng
    const disk = new Disk(DISK_BYTES, this.#empty.get(system) ?? new Map(), new Prng(prng.next32()))
    const options = this.#pick(system.mounts)
    const where = `${system.name} (${options})${isFaulty ? ', a disk that fails' : ''}`
    if (isFaulty) disk.fault = this.#fault()
    const past = { disk, low: -1, copies: [], system, options, isFaulty, where }
    const batches = MANY + prng.below(prng.below(3) === 0 ? 400 : 100)
    const heard = await this.#live(past, { batches, isFaulty })
    if (heard === undefined) return
    this.#watcher.count(`lives on ${system.name}`)
    if (isFaulty) {
      this.#watcher.count('failures of the disk', disk.failures)
      this.#watcher.count(
        'calls that said so',
        heard.filter(({ told }) => typeof told === 'object' && 'refused' in told).length,
      )
    }
    await this.#cuts({ ...past, heard }, CUTS, 1)
  }

  #fault(): Fault {
    const kind = this.#prng.below(5)
    return {
      writes: kind !== 0,
      flushes: kind < 2,
      from: 20 + this.#prng.below(250),
      reachBytes: kind < 3 ? Number.POSITIVE_INFINITY : BAD_BYTES,
      left: this.#pick(FAILURES),
    }
  }

  async end(): Promise<void> {
    await this.#life.end()
  }

  /** @returns undefined if there is nothing to be said of what must be there */
  async #live(
    { disk, low, copies, system, options, where, isFaulty: wasFaulty }: Omit<Past, 'heard'>,
    { batches, isFaulty }: Pick<LifeRequest, 'batches' | 'isFaulty'>,
  ): Promise<readonly Heard[] | undefined> {
    const { path } = this.#mounted
    const refusal = await this.#mounted.mount(disk, system, options)
    if (refusal !== undefined) {
      // Not for varve to mend.
      this.#watcher.count(`${system.name} does not mount${wasFaulty ? ' after failures of the disk' : ''}`)
      console.error(`${where}: ${refusal}`)
      return undefined
    }
    const seed = this.#prng.next32()
    // A process that has been killed takes its time to be there again.
    const end = this.#prng.below(batches < MANY ? 16 : 3) === 0 ? 'killed' : 'closed'
    const heard = await this.#life.run({ directory: path, seed, low, copies, batches, isFaulty, end })
    await this.#mounted.unmount()
    for (const { told } of heard) {
      if (told === 'abandoned') {
        this.#watcher.count('lives after which nothing can be said')
        return undefined
      }
      if (typeof told !== 'object' || !('broken' in told)) continue
      const kind = told.broken.replaceAll(/\d+/g, 'N').slice(0, 60)
      this.#watcher.finding(
        kind,
        `${where}, seed ${seed}: ${told.broken}; kept: ${await this.#keep(disk, system, options)}`,
      )
      return undefined
    }
    return heard
  }

  async #cuts(past: Past, count: number, depth: number): Promise<void> {
    const { disk, system, options } = past
    for (let i = 0; i < count && !this.#watcher.isOver(); i++) {
      const prng = this.#prng
      const position = this.#position(past)
      const remains = this.#pick(REMAINS)
      const image = disk.cutAt(position, remains, system.sectorBytes, new Prng(prng.next32()))
      const where = `${past.where}, cut at ${position} of ${disk.position}, of the rest ${remains}`
      const further = {
        disk: image,
        low: lowAt(past, position),
        copies: copiesAt(past, position),
        system,
        options,
        isFaulty: past.isFaulty,
        where,
      }
      const heard = await this.#live(further, { batches: prng.below(4) === 0 ? prng.below(20) : 0, isFaulty: false })
      if (heard === undefined) continue
      this.#watcher.count(depth === 1 ? `cuts of ${system.name}` : 'cuts of a life that began with one')
      if (depth < DEPTH_MAX && prng.below(3) === 0) await this.#cuts({ ...further, heard }, FURTHER_CUTS, depth + 1)
    }
  }

  /** Mostly where something is about to be, or has just been, acknowledged or flushed. */
  #position({ disk, heard }: Past): number {
    const prng = this.#prng
    const near = prng.below(3) === 0 ? [] : prng.below(2) === 0 ? disk.flushes() : heard.map(({ position }) => position)
    const position = near.length === 0 ? prng.below(disk.position + 1) : this.#pick(near) + prng.below(4) - 1
    return Math.max(0, Math.min(disk.position, position))
  }

  /** A copy of what a life found, for people. @returns where */
  async #keep(disk: Disk, system: FileSystem, options: string): Promise<string> {
    if (!this.#watcher.isKept || (await this.#mounted.mount(disk.fresh(), system, options)) !== undefined) return 'not'
    const kept = mkdtempSync(join(tmpdir(), 'varve-power-kept-'))
    await execute('cp', ['-a', `${this.#mounted.path}/.`, kept])
    await this.#mounted.unmount()
    return kept
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#prng.below(from.length)]
  }
}

/** The last batch that must be there after a cut. What a life has found, was there before it. */
function lowAt({ heard, low }: Past, position: number): number {
  let last = low
  const first = heard.find(({ told }) => typeof told === 'object' && 'found' in told)
  for (const one of heard) {
    if (typeof one.told !== 'object') continue
    if ('durable' in one.told && one.position <= position) last = Math.max(last, one.told.durable)
    if (one === first && 'found' in one.told) last = Math.max(last, one.told.found)
  }
  return last
}

function copiesAt({ heard, copies }: Past, position: number): Copied[] {
  const all = [...copies]
  for (const one of heard) {
    if (typeof one.told === 'object' && 'copied' in one.told && one.position <= position) all.push(one.told.copied)
  }
  return all
}
