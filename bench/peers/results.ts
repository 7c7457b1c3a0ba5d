/**
 * Results: a run of the comparison as it is written down, and the figures that a report takes from it.
 */
import type { Machine } from '../machine.ts'
import { ratioOf, type Spread } from '../statistics.ts'
import type { LoopFigures } from './loop-child.ts'
import type { PeerName } from './peers.ts'
import type { Sizes } from './scenes.ts'

/** One step of a scene: element i of each list was measured in round i. */
export interface StepFigures {
  readonly scene: string
  readonly sceneTitle: string
  readonly step: string
  readonly title: string
  readonly call: string
  readonly operations: number
  readonly durability: 'os' | 'disk'
  /** Of an operation; of an entry, where a whole scan or a recovery is one. */
  readonly microseconds: Readonly<Partial<Record<PeerName, readonly number[]>>>
}

export interface PeersRun {
  /** By which it was made. */
  readonly command: string
  readonly machine: Machine
  readonly node: string
  readonly compiler: string | undefined
  readonly versions: Readonly<Record<string, string>>
  readonly peers: readonly PeerName[]
  readonly sizes: Sizes
  readonly writeBufferBytes: number
  readonly cacheBytes: number
  readonly figures: readonly StepFigures[]
  /** undefined where the system does not say: see StolenTime. */
  readonly stolenShare: number | undefined
  /** undefined if it was left out. */
  readonly loop: LoopFigures | undefined
  readonly elapsedMs: number
}

export function figuresOf({ figures }: Pick<PeersRun, 'figures'>, name: string): StepFigures | undefined {
  return figures.find(({ scene, step }) => `${scene}.${step}` === name)
}

/** How many times as long `peer` takes as varve, a quotient a round; undefined if one of them was not measured. */
export function advantageOver({ microseconds }: StepFigures, peer: PeerName): Spread | undefined {
  const { varve, [peer]: other } = microseconds
  return varve === undefined || other === undefined ? undefined : ratioOf(other, varve)
}
