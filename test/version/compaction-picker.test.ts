/** Which compaction is picked, of versions drawn as text. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { type FileNumber, fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { type Compaction, type CompactionHint, inputsOf } from '../../src/version/compaction.ts'
import { pickAtRest, pickCompaction, planManual } from '../../src/version/compaction-picker.ts'
import { type PickContext, type PickerOptions, planCompaction } from '../../src/version/compaction-plan.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import {
  levelBytesFor,
  levelScores,
  pendingCompactionBytes,
  spaceAmplification,
} from '../../src/version/level-sizes.ts'
import { deeperFiles } from '../../src/version/overlap.ts'
import { Version } from '../../src/version/version.ts'
import { type Command, runDatadriven } from '../support/datadriven.ts'
import { testdata } from '../support/paths.ts'
import { bytesOf } from '../table/entries.ts'
import { describeKey, drawnKey, drawnVersion } from './drawn-version.ts'

class Picker {
  #version = Version.empty(bytewiseComparator)
  #options: PickerOptions = { level0Tables: 4, levelBytes: 100, multiplier: 10, maxFileBytes: 10 }
  /** Inputs of the compactions that have begun. */
  readonly #inputs = new Set<FileNumber>()

  handle(command: Command): string {
    switch (command.name) {
      case 'version':
        return this.#draw(command)
      case 'pick':
      case 'pick-at-rest':
      case 'begin':
        return this.#pick(command)
      case 'manual':
        return this.#manual(command)
      case 'in-place':
        return this.#inPlace(command)
      case 'level-bytes':
        return `${levelBytesFor(command.number('memtable') * 2 ** 20, 4) / 2 ** 20} MiB`
      default:
        return command.unknown()
    }
  }

  #draw(command: Command): string {
    this.#inputs.clear()
    this.#version = drawnVersion(command.lines)
    this.#options = {
      level0Tables: command.number('level0', 4),
      levelBytes: command.number('level1', 100),
      multiplier: 10,
      maxFileBytes: command.number('file', 10),
    }
    const scores = levelScores(this.#version, this.#options).map((score) => score.toFixed(2).replace(/\.?0+$/, ''))
    const pending = pendingCompactionBytes(this.#version, this.#options)
    return `scores ${scores.join(' ')}, pending ${pending}, amplification ${spaceAmplification(this.#version).toFixed(2)}`
  }

  #pick(command: Command): string {
    const pick = command.name === 'pick-at-rest' ? pickAtRest : pickCompaction
    const compaction = pick(this.#context(command))
    if (compaction === undefined) return 'nothing'
    if (command.name === 'begin') this.#begin(compaction)
    return this.#describe(compaction, command.has('deeper'))
  }

  #begin(compaction: Compaction): void {
    for (const { number } of inputsOf(compaction)) this.#inputs.add(number)
  }

  #manual(command: Command): string {
    const level = command.number('level')
    const key = (name: string): Uint8Array | undefined => (command.has(name) ? bytesOf(command.text(name)) : undefined)
    const plan = planManual(this.#context(command), level, { smallest: key('from'), largest: key('to') })
    if (plan === 'busy') return plan
    if (plan === undefined) return 'nothing'
    return this.#describe(plan, command.has('deeper'))
  }

  #inPlace(command: Command): string {
    const level = command.number('level')
    const files = this.#version.levels[level].filter(({ number }) => number === command.number('table'))
    const plan = planCompaction(this.#context(command), { reason: 'manual', level, outputLevel: level, files })
    return plan === undefined ? 'busy' : this.#describe(plan, false)
  }

  #context(command: Command): PickContext {
    const hints: CompactionHint[] = command.list('seeks').map((text) => {
      const [level, number] = text.split(':').map(Number)
      return { kind: 'seeks', level, number: fileNumber(number) }
    })
    for (const text of command.list('sweep')) {
      const [smallest, largest] = text.split('..').map(bytesOf)
      hints.push({ kind: 'tombstones', smallest, largest })
    }
    return {
      version: this.#version,
      comparator: bytewiseComparator,
      options: this.#options,
      pointers: command.list('pointers').map((text) => {
        const [level, key] = text.split(':')
        return { level: Number(level), key: drawnKey(key) }
      }),
      busy: new Set([...this.#inputs, ...command.list('busy').map((text) => fileNumber(Number(text)))]),
      hints,
      oldestSnapshot: command.has('snapshot') ? sequenceNumber(command.number('snapshot')) : undefined,
    }
  }

  #describe(compaction: Compaction, withDeeper: boolean): string {
    const { reason, level, outputLevel, upper, lower, grandparents, isTrivialMove, pointer, hint } = compaction
    const lines = [
      `${reason}: level ${level} to ${outputLevel}${isTrivialMove ? ', a mere move' : ''}${hint === undefined ? '' : ', hinted'}`,
      `upper ${numbers(upper)}, lower ${numbers(lower)}, grandparents ${numbers(grandparents)}`,
    ]
    if (pointer !== undefined) lines.push(`pointer of level ${pointer.level}: ${describeKey(pointer.key)}`)
    if (withDeeper) {
      const deeper = deeperFiles(bytewiseComparator, this.#version, compaction)
      lines.push(`deeper ${deeper.map(numbers).join(' | ')}`)
    }
    return lines.join('\n')
  }
}

function numbers(files: readonly FileMetadata[]): string {
  return files.length === 0 ? '–' : files.map(({ number }) => number).join(' ')
}

test('the compactions that are picked of drawn versions are as written', () => {
  const picker = new Picker()
  runDatadriven(testdata('compaction/picks'), (command) => picker.handle(command))
})

test('what is worth doing at rest is found without going through a level again for each of its tables', () => {
  const count = 1000
  const words = Array.from({ length: count }, (_, i) => `${i + 1}[${1000 + 2 * i}..${1001 + 2 * i}]`)
  let reads = 0
  const levels = drawnVersion([`3: ${words.join(' ')}`]).levels.map((files) => {
    return new Proxy(files, {
      get: (target, index) => {
        reads++
        return Reflect.get(target, index)
      },
    })
  })
  const compaction = pickAtRest({
    version: new Version(bytewiseComparator, levels),
    comparator: bytewiseComparator,
    options: { level0Tables: 4, levelBytes: 100, multiplier: 10, maxFileBytes: 10 },
    pointers: [],
    busy: new Set(),
    hints: [],
    oldestSnapshot: undefined,
  })
  assert.equal(compaction, undefined)
  assert.ok(reads < 100 * count, `${reads} reads of ${count} tables`)
})
