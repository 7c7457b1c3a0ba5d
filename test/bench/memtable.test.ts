/**
 * The benchmark of the MemTable runs from end to end, on next to nothing: what it measures is not looked at, but that all
 * subjects take part, do the same work, and that the report is complete.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { KeyFile, type KeyKind, writeKeyFile } from '../../bench/memtable/key-file.ts'
import type { MemTableRun } from '../../bench/memtable/results.ts'
import { SUBJECTS } from '../../bench/memtable/subject.ts'
import { repository } from '../support/paths.ts'

const MAIN = repository('.build', 'bench', 'memtable', 'main.js')
const directory: string = mkdtempSync(join(tmpdir(), 'varve-bench-memtable-'))
const hasCompiler: boolean = spawnSync(process.env.CXX ?? 'g++', ['--version']).status === 0

after(() => rmSync(directory, { recursive: true, force: true }))

describe('the key file of a measurement', () => {
  const kinds: readonly KeyKind[] = ['decimal', 'binary', 'uuid', 'url', 'sequential']
  for (const kind of kinds) {
    it(`has distinct ${kind} keys, probes that are there, and probes that are not`, () => {
      const path = join(directory, kind)
      writeKeyFile(path, { kind, entries: 3000, probes: 500, seed: 7 })
      const { added, present, missing } = KeyFile.read(path)
      const all = ({ count, bytes, offsets }: typeof added): string[] =>
        Array.from({ length: count }, (_, i) => Buffer.from(bytes.slice(offsets[i], offsets[i + 1])).toString('latin1'))
      const keys = new Set(all(added))
      assert.equal(keys.size, 3000)
      assert.equal(present.count, 500)
      assert.ok(all(present).every((key) => keys.has(key)))
      assert.equal(missing.count, 500)
      assert.ok(all(missing).every((key) => !keys.has(key)))
    })
  }
})

describe('the benchmark of the MemTable', () => {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, '--quick', '--out', directory], {
    encoding: 'utf8',
    timeout: 300_000,
  })

  it('runs, and every subject did the same work', () => {
    assert.equal(status, 0, stderr)
    const run = JSON.parse(readFileSync(join(directory, 'charts', 'memtable-benchmark.json'), 'utf8')) as MemTableRun
    const takingPart = new Set(run.cases.flatMap(({ figures }) => Object.keys(figures)))
    const expected = Object.keys(SUBJECTS).filter((name) => hasCompiler || !name.startsWith('cpp'))
    assert.deepEqual([...takingPart].sort(), expected.sort())
    for (const { kind, figures } of run.cases) {
      const works = Object.values(figures).flatMap((list) => list.map(({ found, checksum }) => `${found} ${checksum}`))
      assert.equal(new Set(works).size, 1, kind)
      assert.match(works[0], /^500 /)
    }
    assert.equal(run.pause.entries, 20_000)
    assert.ok(run.pause.tables > 2, 'the tables took turns')
    for (const { insertNs } of run.sharing) {
      assert.deepEqual(
        Object.entries(insertNs).map(([mode, list]) => `${mode} ${list.length}`),
        ['alone 2', 'other 2', 'live 2'],
      )
    }
  })

  it('writes a report with every goal, and the charts that it shows', () => {
    const markdown = readFileSync(join(directory, 'memtable-benchmark.md'), 'utf8')
    assert.equal(markdown.match(/\| (?:met|\*\*missed\*\*) \|/g)?.length, 12)
    const shown = Array.from(markdown.matchAll(/\(charts\/([\w-]+\.svg)\)/g), ([, name]) => name)
    const made = readdirSync(join(directory, 'charts')).filter((name) => name.endsWith('.svg'))
    assert.deepEqual(shown.sort(), made.sort())
    for (const name of made) assert.match(readFileSync(join(directory, 'charts', name), 'utf8'), /^<svg /)
  })
})
