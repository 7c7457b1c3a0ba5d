/**
 * What is no loop over an open database: opening one, recovering one, the background work of one; beside LevelDB in C++ where
 * there is a compiler.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LevelDbProgram } from './leveldb-program.ts'
import type { OpenFigures, OpenSpec } from './open-child.ts'
import type { PeerName } from './peers.ts'
import type { StepFigures } from './results.ts'
import { type SceneRunner, tell } from './scene-runner.ts'
import type { Sizes } from './scenes.ts'

const MIB = 1024 * 1024
const SEED = 1
/** In the log: frame, sequence and count, type and lengths, key and value. */
const LOG_ENTRY_BYTES = 7 + 12 + 3 + 16 + 100
/** In a table: key, tag, value, lengths; a little of block and index. */
const TABLE_ENTRY_BYTES = 16 + 8 + 100 + 4
/** MemTables that hold a whole log. */
const LARGE_BUFFER_BYTES = 256 * MIB

type Lists = Partial<Record<PeerName, number[]>>

/** Rounds in which each of `subjects` is measured once, another one first each time. */
function inTurns(rounds: number, subjects: Readonly<Partial<Record<PeerName, () => number>>>): Lists {
  const entries = Object.entries(subjects) as [PeerName, () => number][]
  const lists: Lists = Object.fromEntries(entries.map(([peer]) => [peer, []]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < entries.length; i++) {
      const [peer, measure] = entries[(i + round) % entries.length]
      lists[peer]?.push(measure())
    }
  }
  return lists
}

type Heading = Pick<StepFigures, 'scene' | 'sceneTitle' | 'step' | 'title' | 'call' | 'operations'>

function figures(heading: Heading, microseconds: Lists): StepFigures {
  const result: StepFigures = { ...heading, durability: 'os', microseconds }
  tell(result)
  return result
}

export class SpecialRuns {
  readonly #runner: SceneRunner
  readonly #sizes: Sizes
  readonly #program: LevelDbProgram | undefined

  constructor(runner: SceneRunner, sizes: Sizes, program: LevelDbProgram | undefined) {
    this.#runner = runner
    this.#sizes = sizes
    this.#program = program
  }

  all(): StepFigures[] {
    return [this.#coldOpen(), this.#recovery(), ...this.#fillRandom(), this.#flush(), this.#compaction()]
  }

  #coldOpen(): StepFigures {
    const { million, rounds } = this.#sizes
    const stores: readonly PeerName[] = ['varve', 'classic-level', 'lmdb', 'sqlite']
    const heading = {
      scene: 'open',
      sceneTitle: 'Opening',
      step: 'cold',
      title: 'open, and the first get, in a new process',
    }
    const spec = this.#openSpec(Math.floor(million / 5), 64 * MIB)
    const lists = this.#opening(spec, stores, 'fill', rounds, ({ firstReadMs }) => firstReadMs)
    return figures({ ...heading, call: 'open, getSync', operations: 1 }, lists)
  }

  #recovery(): StepFigures {
    const { logBytes, rounds } = this.#sizes
    const entries = Math.floor(logBytes / LOG_ENTRY_BYTES)
    const spec = this.#openSpec(entries, LARGE_BUFFER_BYTES)
    const heading = { scene: 'open', sceneTitle: 'Opening', step: 'recovery', call: 'open', operations: entries }
    const title = `recovery of a log of ${logBytes / MIB} MiB, an entry`
    const lists = this.#opening(
      spec,
      ['varve', 'classic-level', 'memtable', 'bare'],
      'crash',
      rounds,
      ({ openMs }) => openMs / entries,
    )
    return figures({ ...heading, title }, lists)
  }

  /** Peers open the files that each of them has made; every round opens a copy. */
  #opening(
    spec: Omit<OpenSpec, 'command' | 'peer' | 'directory'>,
    stores: readonly PeerName[],
    how: 'fill' | 'crash',
    rounds: number,
    pick: (figures: OpenFigures) => number,
  ): Lists {
    const outer = this.#runner.emptyDirectory()
    const subjects: Partial<Record<PeerName, () => number>> = {}
    for (const peer of stores.filter((name) => this.#runner.options.peers.includes(name))) {
      const directory = join(outer, peer)
      mkdirSync(directory)
      this.#open({ ...spec, command: how, peer, directory })
      const copy = join(outer, `${peer}-copy`)
      subjects[peer] = () => {
        cpSync(join(directory, 'data'), join(copy, 'data'), { recursive: true })
        const figures = this.#open({ ...spec, command: 'open', peer, directory: copy })
        rmSync(copy, { recursive: true })
        return pick(figures as OpenFigures) * 1000
      }
    }
    return inTurns(rounds, subjects)
  }

  #open(spec: OpenSpec): unknown {
    return this.#runner.script('open-child.js', JSON.stringify(spec))
  }

  #openSpec(entries: number, writeBufferBytes: number): Omit<OpenSpec, 'command' | 'peer' | 'directory'> {
    const keyFile = this.#runner.keyFile({ kind: 'decimal', entries, probes: 1, seed: SEED })
    const { cacheBytes } = this.#runner.options
    return { keyFile, entries, writeBufferBytes, cacheBytes, isDurable: false }
  }

  /** The C++ program takes both steps at once; varve's process is a new one each time, too, warmed up on other keys. */
  #fillRandom(): StepFigures[] {
    const { million, reads, rounds } = this.#sizes
    const entries = million / 2
    const { writeBufferBytes, cacheBytes } = this.#runner.options
    const keyFile = this.#runner.keyFile({ kind: 'decimal', entries, probes: reads, seed: SEED })
    const get: Lists = {}
    const measure = (peer: PeerName, fill: (directory: string) => { fillMs: number; readMs: number }) => (): number => {
      const { fillMs, readMs } = fill(this.#runner.emptyDirectory())
      get[peer] = [...(get[peer] ?? []), (readMs * 1000) / reads]
      return (fillMs * 1000) / entries
    }
    const program = this.#program
    const put = inTurns(Math.min(rounds, 3), {
      varve: measure('varve', (directory) => {
        const args = [keyFile, directory, String(writeBufferBytes), String(cacheBytes)]
        return this.#runner.script('fill-child.js', ...args) as { fillMs: number; readMs: number }
      }),
      ...(program && { leveldb: measure('leveldb', (at) => program.fill(keyFile, at, writeBufferBytes, cacheBytes)) }),
    })
    const heading = { scene: 'cpp', sceneTitle: 'Beside LevelDB in C++' }
    return [
      figures({ ...heading, step: 'fill', title: 'fillrandom, a put each', call: 'putSync', operations: entries }, put),
      figures({ ...heading, step: 'get', title: 'readrandom', call: 'getSync', operations: reads }, get),
    ]
  }

  #flush(): StepFigures {
    const { million, rounds } = this.#sizes
    const entries = Math.floor(million / 3)
    const keyFile = this.#runner.keyFile({ kind: 'decimal', entries, probes: 1, seed: SEED })
    const program = this.#program
    const micros = (ms: number): number => (ms * 1000) / entries
    const lists = inTurns(Math.min(rounds, 3), {
      varve: () =>
        micros(this.#runner.script('background-child.js', 'flush', keyFile, this.#runner.emptyDirectory()) as number),
      ...(program && {
        leveldb: () => micros(program.flush(keyFile, this.#runner.emptyDirectory(), LARGE_BUFFER_BYTES)),
      }),
      bare: () => micros(this.#bareWrite(entries)),
    })
    const title = `flush of a MemTable of ${entries.toLocaleString('en-US')} entries, an entry`
    const heading = { scene: 'cpp', sceneTitle: 'Beside LevelDB in C++', step: 'flush', title, call: 'flush' }
    return figures({ ...heading, operations: entries }, lists)
  }

  /** Milliseconds for the bytes of a table of so many entries. */
  #bareWrite(entries: number): number {
    const directory = join(this.#runner.directory, 'bare')
    mkdirSync(directory, { recursive: true })
    const bytes = String(entries * TABLE_ENTRY_BYTES)
    return this.#runner.script('background-child.js', 'bare', bytes, directory) as number
  }

  #compaction(): StepFigures {
    const { million, rounds } = this.#sizes
    const entries = Math.floor(million / 2)
    const keyFile = this.#runner.keyFile({ kind: 'decimal', entries, probes: 1, seed: SEED })
    const outer = this.#runner.emptyDirectory()
    const [shape, copy] = [join(outer, 'shape'), join(outer, 'copy')]
    this.#runner.script('background-child.js', 'shape', keyFile, shape)
    const onCopy = (measure: () => number) => (): number => {
      rmSync(copy, { recursive: true, force: true })
      cpSync(shape, copy, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
      return (measure() * 1000) / entries
    }
    const program = this.#program
    const lists = inTurns(Math.min(rounds, 3), {
      varve: onCopy(() => this.#runner.script('background-child.js', 'compact', copy) as number),
      ...(program && { leveldb: onCopy(() => program.compact(copy)) }),
      bare: () => (this.#bareWrite(entries) * 1000) / entries,
    })
    const title = 'compaction of three tables into the level below, an entry'
    const heading = { scene: 'cpp', sceneTitle: 'Beside LevelDB in C++', step: 'compact', title, call: 'compactRange' }
    return figures({ ...heading, operations: entries }, lists)
  }
}
