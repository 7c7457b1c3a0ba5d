/**
 * The comparison with the peers, on next to nothing and without what has to be installed: peers read the same, which is checked;
 * goals are judged by the figures; the report says all of it. What is measured is not looked at.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { describeMachine } from '../../bench/machine.ts'
import { KeyFile, writeKeyFile } from '../../bench/memtable/key-file.ts'
import { goalsOf } from '../../bench/peers/goals.ts'
import { isFloor, type PeerName } from '../../bench/peers/peers.ts'
import { peersCharts, peersMarkdown } from '../../bench/peers/report.ts'
import { figuresOf, type PeersRun, type StepFigures } from '../../bench/peers/results.ts'
import { SceneRunner } from '../../bench/peers/scene-runner.ts'
import { type Scene, scenesOf, sizesOf } from '../../bench/peers/scenes.ts'
import { WorkMaker } from '../../bench/peers/work.ts'
import { repository } from '../support/paths.ts'

const PEERS: readonly PeerName[] = ['varve', 'before', 'classic-level', 'memory-level', 'memtable', 'bare']
const KIB = 1024
const directory: string = mkdtempSync(join(tmpdir(), 'varve-bench-peers-'))
const sizes = sizesOf('quick')

after(() => rmSync(directory, { recursive: true, force: true }))

function runOf(figures: readonly StepFigures[], loopMs: number = 1): PeersRun {
  return {
    command: 'npm run bench:report',
    machine: describeMachine(repository()),
    node: process.version,
    compiler: undefined,
    versions: {},
    peers: ['varve', 'classic-level', 'lmdb', 'leveldb', 'bare'],
    sizes,
    writeBufferBytes: KIB,
    cacheBytes: KIB,
    figures,
    stolenShare: undefined,
    loop: { entries: 100, microseconds: 1, p99Ms: loopMs, maxMs: loopMs, longest: undefined },
    elapsedMs: 1000,
  }
}

function figures(name: string, microseconds: StepFigures['microseconds']): StepFigures {
  const [scene, step] = name.split('.')
  return { scene, sceneTitle: scene, step, title: step, call: 'put', operations: 1, durability: 'os', microseconds }
}

describe('the scenes of the comparison', () => {
  const runner = new SceneRunner({
    peers: PEERS,
    node: process.execPath,
    writeBufferBytes: 1024 * KIB,
    cacheBytes: 1024 * KIB,
    build: repository('.build'),
    warmUp: 10,
  })
  /** As many operations as show that the peers read the same. */
  const small = (scene: Scene): Scene => ({
    ...scene,
    rounds: 2,
    peers: PEERS,
    keys: { ...scene.keys, entries: 1500, probes: 100 },
    steps: scene.steps.map(({ peers: _, ...step }) => ({ ...step, operations: step.source === 'added' ? 1500 : 20 })),
  })

  it('are run by all peers in turns, which read and hold the same', async () => {
    const [scene] = scenesOf(sizes).filter(({ name }) => name === 'million')
    const without = PEERS.filter((peer) => !isFloor(peer))
    const all = await runner.run({ ...small(scene), peers: without })
    assert.equal(all.length, scene.steps.length)
    for (const { microseconds } of all) {
      assert.deepEqual(Object.keys(microseconds).sort(), [...without].sort())
      for (const list of Object.values(microseconds)) assert.equal(list.length, 2)
    }
  })

  it('of single puts have the bare machine and the MemTable alone beside them', async () => {
    const [scene] = scenesOf(sizes).filter(({ name }) => name === 'puts')
    const steps = small(scene).steps.filter(({ call }) => call === 'put')
    const [put] = await runner.run({ ...small(scene), steps })
    for (const floor of ['bare', 'memtable'] as const) assert.ok(put.microseconds[floor]?.every((micros) => micros > 0))
  })

  it('end with an error if a peer cannot take a step', async () => {
    const [scene] = scenesOf(sizes).filter(({ name }) => name === 'puts')
    const steps = small(scene).steps.filter(({ call }) => call === 'putSync')
    await assert.rejects(runner.run({ ...small(scene), steps, peers: ['classic-level'] }), /ended before its answer/)
  })
})

describe('the work of a step', () => {
  const path = join(directory, 'keys')
  writeKeyFile(path, { kind: 'decimal', entries: 1000, probes: 50, seed: 1, valueBytes: 10 })
  const maker = new WorkMaker(path)
  const step = { name: '', title: '', call: 'range', operations: 2000 } as const

  it('is drawn by Zipf’s law: one key most often, many seldom', () => {
    const { timed, reads } = maker.make({ ...step, source: 'zipfian', readShare: 0.95 }, 1)
    const counts = new Map<string, number>()
    for (const key of timed.keys) counts.set(String(key), (counts.get(String(key)) ?? 0) + 1)
    const most = Math.max(...counts.values())
    assert.ok(most > 150 && most < 400, `${most} of 2,000`)
    assert.ok(counts.size > 300)
    const share = Array.from(reads ?? new Uint8Array(0)).filter((read) => read === 1).length / timed.keys.length
    assert.ok(share > 0.9 && share < 0.99, String(share))
  })

  it('is ascending where that is asked for, each key with the value that it has in any order', () => {
    const random = maker.make({ ...step, source: 'added', operations: 1000 }, 1).timed
    const { keys, values } = maker.make({ ...step, source: 'ascending', operations: 1000 }, 1).timed
    const sorted = random.keys.map(String).sort()
    assert.deepEqual(keys.map(String), sorted)
    const valuesByKey = new Map(random.keys.map((key, i) => [String(key), random.values[i]]))
    assert.ok(keys.every((key, i) => valuesByKey.get(String(key)) === values[i]))
  })

  it('begins and ends a prefix at its bytes', () => {
    const { timed, limits } = maker.make({ ...step, source: 'present', prefixBytes: 4 }, 1)
    assert.ok(timed.keys.every((key) => key.length === 4))
    assert.ok(limits?.every((limit, i) => limit[3] === timed.keys[i][3] + 1))
  })

  it('has values of the length that was asked for, and names for keys', () => {
    const named = join(directory, 'names')
    const names = ['Ærø', 'left-pad', 'x']
    writeKeyFile(named, { kind: 'names', names, entries: 3, probes: 3, seed: 1 })
    const { added, missing } = KeyFile.read(named)
    const text = Buffer.from(added.bytes).toString()
    assert.deepEqual(
      names.filter((name) => !text.includes(name)),
      [],
    )
    assert.ok(Buffer.from(missing.bytes).includes(0))
    assert.equal(maker.make({ ...step, source: 'added' }, 1).timed.values[0].length, 10)
    assert.throws(() => writeKeyFile(named, { kind: 'names', names, entries: 4, probes: 1, seed: 1 }), /fewer than 4/)
  })
})

describe('the goals', () => {
  const verdictOf = (text: RegExp, run: PeersRun): string | undefined =>
    goalsOf(run).find((goal) => text.test(goal.text))?.verdict

  it('are not measured where figures are missing', () => {
    const verdicts = goalsOf(runOf([])).map(({ verdict }) => verdict)
    assert.deepEqual(verdicts.filter((verdict) => verdict !== 'not measured').length, 2)
  })

  const cases: readonly (readonly [varve: number[], other: number[], verdict: string])[] = [
    [[1, 1, 1], [15, 16, 17], 'met'],
    [[1, 1, 1], [14, 16, 17], 'met, not in every round'],
    [[1, 1, 1], [14, 14, 17], 'missed'],
  ]
  for (const [varve, other, verdict] of cases) {
    it(`“at least 15 times as fast” is ${verdict} by ${other.join(', ')} beside 1`, () => {
      const run = runOf([figures('puts.put1', { varve, 'classic-level': other, bare: [0.5] })])
      const [goal] = goalsOf(run)
      assert.equal(goal.verdict, verdict)
      assert.equal(goal.limit === '', verdict !== 'missed')
    })
  }

  it('that are missed say what they would take, and what a part of the work takes by itself', () => {
    const run = runOf([
      figures('puts.put1', { varve: [2, 2], 'classic-level': [15, 15], bare: [0.5, 0.5] }),
      figures('puts.putsync', { memtable: [0.25, 0.25] }),
    ])
    assert.equal(
      goalsOf(run)[0].limit,
      'takes ≤ 1.00 µs; write(2) and one settled promise alone: 0.500 µs; inserting into the MemTable alone: 0.250 µs',
    )
  })

  it('“at most” are judged by the other quotient', () => {
    const run = (varve: number): PeersRun => runOf([figures('cpp.fill', { varve: [varve, varve], leveldb: [2, 4] })])
    assert.equal(verdictOf(/^putSync ≤ 1\.00/, run(2)), 'met')
    assert.equal(verdictOf(/^putSync ≤ 1\.00/, run(2.5)), 'met, not in every round')
    assert.equal(verdictOf(/^putSync ≤ 1\.00/, run(5)), 'missed')
  })

  it('of the event loop are in milliseconds', () => {
    assert.equal(verdictOf(/p99 ≤ 5 ms/, runOf([], 6)), 'missed')
    assert.equal(verdictOf(/longest ≤ 50 ms/, runOf([], 6)), 'met')
  })

  it('and figures of scenes have names that exist', () => {
    const names = scenesOf(sizes).flatMap(({ name, steps }) => steps.map((step) => `${name}.${step.name}`))
    const all = names.map((name) => figures(name, { varve: [1], 'classic-level': [9], lmdb: [9], bare: [1] }))
    const without = goalsOf(runOf(all)).filter(({ verdict }) => verdict === 'not measured')
    assert.deepEqual(
      without.map(({ text }) => text.split(' ')[0]),
      ['putSync', 'recovery', 'flush', 'compaction'],
    )
    assert.equal(figuresOf({ figures: all }, 'million.get')?.step, 'get')
    const markdown = peersMarkdown(runOf(all))
    assert.equal(markdown.match(/\| (?:met|met, not in every round|\*\*missed\*\*|not measured) \|/g)?.length, 21)
    assert.deepEqual(
      Array.from(markdown.matchAll(/\(([\w-]+)\.svg\)/g), ([, name]) => name),
      peersCharts(runOf(all)).map(({ name }) => name),
    )
  })
})
