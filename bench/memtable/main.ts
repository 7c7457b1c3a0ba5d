/**
 * main: varve's MemTable beside a skip list in C++, compiled here, and beside the sorted maps that JavaScript has: inserts,
 * lookups, scans, memory; pauses of garbage collection; what a reading thread costs the writer. Every measurement is a
 * process of its own; the subjects of a case take turns, round by round. Writes Markdown, JSON and charts (SVG).
 *
 *   npm run bench:memtable -- --out docs        # the whole: about twelve minutes; --rounds 3: seven
 *   npm run bench:memtable -- --quick           # only to see that everything runs
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { barChart } from '../charts.ts'
import { describeMachine } from '../machine.ts'
import { StolenTime } from '../stolen-time.ts'
import { writeKeyFile } from './key-file.ts'
import type { PauseFigures } from './pause-child.ts'
import { type Case, fullPlan, type Plan, quickPlan } from './plan.ts'
import { memtableCharts, memtableMarkdown } from './report.ts'
import type { CaseFigures } from './results.ts'
import type { SharingFigures } from './sharing-child.ts'
import { type Figures, SUBJECTS, type SubjectName } from './subject.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PROGRAM = join(ROOT, 'bench', 'memtable', 'skiplist-memtable.cpp')
const COMPILER = process.env.CXX ?? 'g++'
const FLAGS: Readonly<Partial<Record<SubjectName, readonly string[]>>> = {
  cpp: ['-O2', '-DNDEBUG'],
  cppNative: ['-O3', '-march=native', '-DNDEBUG'],
}
const SEED = 1

/** Runs one process after another, with files in a directory of its own. */
class Laboratory {
  readonly compiler: string | undefined
  readonly #directory: string
  readonly #plan: Plan
  readonly #programs: Map<SubjectName, string> = new Map()

  constructor(plan: Plan) {
    this.#plan = plan
    this.#directory = mkdtempSync(join(tmpdir(), 'varve-memtable-'))
    process.once('exit', () => rmSync(this.#directory, { recursive: true, force: true }))
    this.compiler = versionOfCompiler()
    if (this.compiler !== undefined) this.#compile()
  }

  keyFile(name: string, kind: Case['kind'], entries: number): string {
    const path = join(this.#directory, name)
    writeKeyFile(path, { kind, entries, probes: this.#plan.probes, seed: SEED })
    return path
  }

  measure(subject: SubjectName, keyFile: string): Figures {
    const args = [keyFile, String(this.#plan.warmUpEntries)]
    const program = this.#programs.get(subject)
    return (program === undefined ? runNode('child.js', [subject, ...args]) : runProgram(program, args)) as Figures
  }

  /** The subjects of a case that this machine can run. */
  subjectsOf({ subjects }: Case): SubjectName[] {
    return subjects.filter((name) => !(name in FLAGS) || this.#programs.has(name))
  }

  #compile(): void {
    for (const [name, flags] of Object.entries(FLAGS)) {
      const program = join(this.#directory, name)
      execFileSync(COMPILER, ['-std=c++17', ...flags, PROGRAM, '-o', program], { stdio: 'inherit' })
      this.#programs.set(name as SubjectName, program)
    }
  }
}

function versionOfCompiler(): string | undefined {
  try {
    return execFileSync(COMPILER, ['--version'], { encoding: 'utf8' }).split('\n')[0]
  } catch {
    console.error(`${COMPILER} is not there: without the C++ program`)
    return undefined
  }
}

function runNode(script: string, args: readonly string[]): unknown {
  return runProgram(process.execPath, ['--expose-gc', fileURLToPath(new URL(script, import.meta.url)), ...args])
}

function runProgram(program: string, args: readonly string[]): unknown {
  return JSON.parse(execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }))
}

/** All rounds of a case; a round begins with another subject each time. */
function measureCase(laboratory: Laboratory, one: Case, rounds: number): CaseFigures {
  const { kind, entries } = one
  const keyFile = laboratory.keyFile('keys', kind, entries)
  const subjects = laboratory.subjectsOf(one)
  const figures: Partial<Record<SubjectName, Figures[]>> = {}
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < subjects.length; i++) {
      const name = subjects[(i + round) % subjects.length]
      const list = figures[name] ?? []
      figures[name] = list
      list.push(laboratory.measure(name, keyFile))
    }
  }
  checkEqualWork(figures)
  for (const name of subjects) {
    const [{ insertNs, getNs, scanNs }] = figures[name] ?? []
    const [insert, get, scan] = [insertNs, getNs, scanNs].map(Math.round)
    console.error(`${kind} ${entries} · ${SUBJECTS[name].name}: insert ${insert}, get ${get}, scan ${scan} ns`)
  }
  return { kind, entries, figures }
}

/** @throws Error unless all subjects of a case found and read the same in all rounds */
function checkEqualWork(figures: Readonly<Partial<Record<SubjectName, readonly Figures[]>>>): void {
  const works = Object.entries(figures).flatMap(([name, list]) =>
    list.map(({ found, checksum }) => ({ name, work: `${found} found, checksum ${checksum}` })),
  )
  const different = works.find(({ work }) => work !== works[0].work)
  if (different === undefined) return
  throw new Error(`${different.name} did other work than ${works[0].name}: ${different.work}, not ${works[0].work}`)
}

function main(): void {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      entries: { type: 'string', default: '100000,500000,1000000' },
      quick: { type: 'boolean', default: false },
      out: { type: 'string', default: join(ROOT, 'bench', 'results', 'memtable') },
    },
  })
  const machine = describeMachine(ROOT)
  const stolen = new StolenTime()
  const plan = values.quick ? quickPlan() : fullPlan(Number(values.rounds), values.entries.split(',').map(Number))
  const laboratory = new Laboratory(plan)
  const start = performance.now()
  const cases = plan.cases.map((one) => measureCase(laboratory, one, plan.rounds))
  const pause = runNode('pause-child.js', [plan.pauseEntries, plan.pauseTableBytes].map(String)) as PauseFigures
  const keyFile = laboratory.keyFile('keys', 'decimal', plan.sharingEntries)
  const sharing = runNode('sharing-child.js', [keyFile, String(plan.sharingRounds)]) as SharingFigures[]
  const elapsedMs = performance.now() - start
  const command = ['npm run bench:memtable --', ...process.argv.slice(2)].join(' ')
  const stolenShare = stolen.share()
  const { compiler } = laboratory
  const run = { command, machine, stolenShare, compiler, plan, cases, pause, sharing, elapsedMs }
  mkdirSync(join(values.out, 'charts'), { recursive: true })
  writeFileSync(join(values.out, 'charts', 'memtable-benchmark.json'), `${JSON.stringify(run)}\n`)
  writeFileSync(join(values.out, 'memtable-benchmark.md'), memtableMarkdown(run))
  for (const { name, ...chart } of memtableCharts(run)) {
    writeFileSync(join(values.out, 'charts', `${name}.svg`), barChart(chart))
  }
}

main()
