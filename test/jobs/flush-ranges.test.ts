/**
 * Range tombstones at the flush: exactly which point tombstones are written and which tables are dropped (a transcript), that
 * no reader sees a difference (random histories), and what fails.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptionError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber } from '../../src/base/types.ts'
import { flipped } from '../db/scenario.ts'
import { type Command, runDatadriven } from '../support/datadriven.ts'
import { testdata } from '../support/paths.ts'
import { deleteEntry, type Entry, putEntry } from '../table/entries.ts'
import { Flushing, memTableOf, newestValue, parseEntry, sequenceOf, showEntry } from './flushing.ts'

test('range tombstones become tombstones of the keys that exist, or drop whole tables', async () => {
  let flushing = new Flushing()
  await runDatadriven(testdata('jobs', 'flush-ranges'), (command: Command) => {
    switch (command.name) {
      case 'tables':
        flushing = new Flushing()
        for (const line of command.lines) {
          const [, level, number, entries] = /^level (\d+), (\d+): (.*)$/.exec(line) as RegExpExecArray
          flushing.addTable(Number(level), Number(number), entries.split(' ').map(parseEntry))
        }
        return ''
      case 'flush': {
        flushing.busy.clear()
        for (const number of command.list('busy')) flushing.busy.add(fileNumber(Number(number)))
        const snapshot = command.has('snapshot') ? command.number('snapshot') : undefined
        const { plan, result, entries } = flushing.flush(memTableOf(command.lines), snapshot)
        const read = plan.below.flat().map(({ number }) => number)
        const lines = entries.map(showEntry)
        if (read.length > 0) lines.push(`reads ${read.join(' ')}`)
        for (const { level, number } of plan.dropped) lines.push(`drops ${number} of level ${level}`)
        if (result.file === undefined) lines.push('no table')
        return lines.join('\n')
      }
      default:
        return command.unknown()
    }
  })
})

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** Tables of levels 0 to 2, newest above, all below sequence 40. */
function randomTables(prng: Prng, flushing: Flushing): void {
  let number = 20
  let newest = 40
  for (let i = prng.below(3); i > 0; i--) {
    newest -= 10
    flushing.addTable(0, number--, randomEntries(prng, KEYS, newest))
  }
  for (const level of [1, 2]) {
    newest -= 10
    const split = prng.below(KEYS.length)
    for (const keys of [KEYS.slice(0, split), KEYS.slice(split)]) {
      const entries = randomEntries(prng, keys, Math.max(newest, 0))
      if (entries.length > 0 && prng.below(4) > 0) flushing.addTable(level, number--, entries)
    }
  }
  flushing.levels[0].reverse()
}

function randomEntries(prng: Prng, keys: readonly string[], base: number): Entry[] {
  const entries: Entry[] = []
  for (const key of keys) {
    const bytes = Buffer.from(key)
    for (let version = prng.below(3); version > 0; version--) {
      const sequence = base + version
      entries.push(
        prng.below(4) === 0 ? deleteEntry(bytes, sequence) : putEntry(bytes, sequence, Buffer.from(`v${sequence}`)),
      )
    }
  }
  return entries.length > 0 || keys.length === 0
    ? entries
    : [putEntry(Buffer.from(keys[0]), base + 1, Buffer.from('only'))]
}

function randomOps(prng: Prng): string[] {
  return Array.from({ length: 1 + prng.below(14) }, (_, i) => {
    const key = KEYS[prng.below(KEYS.length)]
    const kind = prng.below(8)
    if (kind < 4) return `${50 + i} put ${key} w${i}`
    if (kind < 5) return `${50 + i} del ${key}`
    const [start, end] = [key, [...KEYS, 'i'][prng.below(KEYS.length + 1)]].sort()
    return `${50 + i} range ${start} ${end}`
  })
}

/** What a reader at a sequence finds of a key, by the meaning of range deletes. */
function expected(key: string, sequence: number, ops: readonly string[], below: readonly Entry[]): string | undefined {
  let value = newestValue(below, key, sequence)
  for (const op of ops) {
    const [at, name, first, second] = op.split(' ')
    if (Number(at) > sequence) break
    if (name === 'put' && first === key) value = second
    if (name === 'del' && first === key) value = undefined
    if (name === 'range' && first <= key && key < second) value = undefined
  }
  return value
}

test('no reader that may still come sees a difference between before and after a flush', () => {
  const seed = Number(process.env.VARVE_SEED ?? 20260301)
  let [dropped, expanded, empty] = [0, 0, 0]
  for (let round = 0; round < 1500; round++) {
    const where = `seed ${seed}, round ${round}`
    const prng = new Prng(seed + round)
    const flushing = new Flushing()
    randomTables(prng, flushing)
    const ops = randomOps(prng)
    for (const files of flushing.levels)
      for (const { number } of files) if (prng.below(6) === 0) flushing.busy.add(number)
    const last = 50 + ops.length
    const snapshot = prng.below(3) === 0 ? prng.below(last) : undefined
    const memtable = memTableOf(ops, prng.below(2) === 0 ? 'radix' : 'skiplist')
    if (memtable.largestSequence === 0) continue
    const flushed = flushing.flush(memtable, snapshot)
    const oldest = snapshot ?? memtable.largestSequence
    for (let sequence = oldest; sequence <= last; sequence++) {
      if (sequence > oldest && sequence < 40) continue
      for (const key of KEYS) {
        const found = flushing.visible(key, sequence, flushed)
        assert.equal(found, expected(key, sequence, ops, flushing.below), `${where}: ${key} at ${sequence}`)
      }
    }
    for (const { number } of flushed.plan.dropped) assert.ok(!flushing.busy.has(number), where)
    const { entries, result } = flushed
    assert.equal(result.file?.statistics?.entries ?? 0, entries.length, where)
    assert.equal(
      result.file?.statistics?.tombstones ?? 0,
      entries.filter((entry) => showEntry(entry).endsWith('-')).length,
      where,
    )
    dropped += flushed.plan.dropped.length
    expanded += entries.filter((entry) => showEntry(entry).endsWith('-') && isRange(ops, sequenceOf(entry))).length
    if (result.file === undefined) empty++
  }
  assert.ok(dropped > 300 && expanded > 1000 && empty > 3, `${dropped} dropped, ${expanded} expanded, ${empty} empty`)
})

function isRange(ops: readonly string[], sequence: number): boolean {
  return ops.some((op) => op.startsWith(`${sequence} range `))
}

test('a damaged table below fails the job, which leaves neither a file nor an open one', () => {
  const flushing = new Flushing()
  flushing.addTable(0, 5, [parseEntry('a@1=x'), parseEntry('z@2=y')])
  const { environment } = flushing
  environment.write(flushing.path(5), flipped(environment.readAll(flushing.path(5)), 3))
  assert.throws(() => flushing.flush(memTableOf(['10 put k v', '11 range b zz'])), CorruptionError)
  assert.deepEqual(environment.paths(), [flushing.path(5)])
  assert.equal(environment.files.openCount, 0)
})

test('a table that lacks, or is not as long as the MANIFEST says, fails the job', () => {
  for (const change of ['missing', 'short'] as const) {
    const flushing = new Flushing()
    flushing.addTable(2, 5, [parseEntry('a@1=x'), parseEntry('z@2=y')])
    const { environment } = flushing
    if (change === 'missing') environment.files.remove(flushing.path(5))
    else environment.write(flushing.path(5), environment.readAll(flushing.path(5)).slice(1))
    assert.throws(() => flushing.flush(memTableOf(['11 range b zz'])), CorruptionError)
    assert.equal(environment.files.openCount, 0)
  }
})
