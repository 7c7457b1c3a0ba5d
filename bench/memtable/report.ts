/**
 * Report of a run: the goals, the tables behind them, and the charts.
 */
import type { BarChart } from '../charts.ts'
import { tellStolen } from '../stolen-time.ts'
import { count, goalsOf, ns, percent, times } from './goals.ts'
import { KINDS } from './plan.ts'
import {
  advantageOver,
  type CaseFigures,
  type Measure,
  type MemTableRun,
  medianOf,
  readerCost,
  standardCase,
} from './results.ts'
import type { SharingFigures } from './sharing-child.ts'
import { SUBJECTS, type SubjectName } from './subject.ts'

type NamedChart = BarChart & { readonly name: string }

const MEASURES: readonly { measure: Measure; title: string }[] = [
  { measure: 'insertNs', title: 'insert' },
  { measure: 'getNs', title: 'get' },
  { measure: 'missingNs', title: 'missing get' },
  { measure: 'scanNs', title: 'scan, an entry' },
]
const CHARTS = ['memtable-insert', 'memtable-get', 'memtable-scan', 'memtable-subjects', 'memtable-memory'] as const
const SUBJECT_NAMES = Object.keys(SUBJECTS) as SubjectName[]

export function memtableMarkdown(run: MemTableRun): string {
  return `${[
    '# The MemTable beside others',
    '',
    ...introduction(run),
    '',
    '## Goals',
    '',
    ...goals(run),
    '',
    ...CHARTS.map((name) => `![${name}](charts/${name}.svg)`),
    '',
    '## Beside a skip list in C++',
    '',
    'Nanoseconds an operation: C++ -O2 → varve, the quotient and its spread over the rounds. In a scan every key and value is read.',
    '',
    ...duels(run),
    '',
    '## All representations, and what JavaScript has',
    '',
    ...everybody(run),
    '',
    '## Pauses',
    '',
    pauses(run),
    '',
    '## A reader on the live table',
    '',
    ...sharing(run),
  ].join('\n')}\n`
}

export function memtableCharts(run: MemTableRun): NamedChart[] {
  const { entries } = standardCase(run)
  const cases = run.cases.filter((one) => one.entries === entries)
  const all = standardCase(run)
  const [insert, get, scan, subjects, memory] = CHARTS
  const duel = (name: string, title: string, measure: Measure): NamedChart => ({
    name,
    title: `${title}, ${count(entries)} entries`,
    yName: 'ns',
    categories: cases.map(({ kind }) => kind),
    bars: (['cpp', 'radix'] as const).map((subject) => ({
      name: SUBJECTS[subject].name,
      values: cases.map((one) => rounded(medianOf(one, subject, measure))),
    })),
  })
  const overSubjects = (field: 'insertNs' | 'getNs' | 'bytesAnEntry' | 'heapBytesAnEntry'): number[] =>
    SUBJECT_NAMES.map((name) => Math.max(0, rounded(medianOf(all, name, field))))
  const categories = SUBJECT_NAMES.map((name) => SUBJECTS[name].label)
  return [
    duel(insert, 'Insert', 'insertNs'),
    duel(get, 'Get of a present key', 'getNs'),
    duel(scan, 'Ordered scan, an entry', 'scanNs'),
    {
      name: subjects,
      title: `Everybody, ${count(entries)} random decimal keys`,
      yName: 'ns',
      categories,
      bars: [
        { name: 'insert', values: overSubjects('insertNs') },
        { name: 'get', values: overSubjects('getNs') },
      ],
    },
    {
      name: memory,
      title: `Bytes an entry of 116, ${count(entries)} random decimal keys`,
      yName: 'bytes',
      categories,
      bars: [
        { name: 'all memory', values: overSubjects('bytesAnEntry') },
        { name: 'of it garbage-collected', values: overSubjects('heapBytesAnEntry') },
      ],
    },
  ]
}

function introduction({ command, machine, stolenShare, compiler, plan, elapsedMs }: MemTableRun): string[] {
  return [
    `Made by \`${command}\`, in ${Math.round(elapsedMs / 1000)} seconds: varve ${machine.varve} ` +
      `(${machine.commit}), Node.js ${machine.node}, ${compiler ?? 'no C++ compiler'}; ${machine.cpu}, ${machine.cores} cores, ` +
      `${machine.system}, load average ${machine.loadAverage.toFixed(2)} at the start${tellStolen(stolenShare)}. Figures of other machines differ, ratios less so.`,
    ...(machine.loadAverage > machine.cores
      ? ['', '**The machine was busy with other work: these figures decide nothing.**']
      : []),
    '',
    `- Medians of ${plan.rounds} ${plan.rounds === 1 ? 'round' : 'rounds'}, in which the subjects of a case take turns; a process for each measurement, warmed up, ` +
      'in JavaScript by loops of 1,000 operations a call, so that no measurement contains its own compilation. ' +
      'Ratios are of figures of the same round, above 1 where varve is faster. Keys, their order, and values come from one ' +
      'file; a checksum of all that was read proves that everybody did the same work.',
    '- [The skip list](../bench/memtable/skiplist-memtable.cpp) is LevelDB’s MemTable as its design is known, written for this: ' +
      'arena of 4 KiB blocks, height 12, branching 4, entries with length prefixes. It publishes every insert, as varve does ' +
      '“one by one”. Both copy keys and values in, and read a found value in place.',
    `- Values of 100 bytes. Keys: ${Object.entries(KINDS)
      .map(([kind, text]) => `*${kind}*: ${text}`)
      .join('; ')}. ` + `${count(plan.probes)} lookups of present keys and of missing ones, in random order.`,
    '- The JavaScript maps are used as their users do ([how](../bench/memtable/peers.ts)): they keep the keys and values that they ' +
      'are given, which are made before the clock starts. Heap is what is left after a full collection.',
  ]
}

function goals(run: MemTableRun): string[] {
  return table(
    ['goal', '', 'measured', 'what holds it back'],
    goalsOf(run).map(({ text, isMet, figure, why }) => [text, isMet ? 'met' : '**missed**', figure, isMet ? '' : why]),
  )
}

function duels({ cases }: MemTableRun): string[] {
  const cell = (one: CaseFigures, measure: Measure): string => {
    const [theirs, ours] = [medianOf(one, 'cpp', measure), medianOf(one, 'radix', measure)]
    const advantage = advantageOver(one, 'cpp', measure)
    if (theirs === undefined || ours === undefined || advantage === undefined) return ns(ours ?? Number.NaN)
    return `${ns(theirs)} → ${ns(ours)}: **${times(advantage.median)}** (${advantage.min.toFixed(2)}–${advantage.max.toFixed(2)})`
  }
  return table(
    ['keys', 'entries', ...MEASURES.map(({ title }) => title), 'bytes an entry'],
    cases.map((one) => [
      one.kind,
      count(one.entries),
      ...MEASURES.map(({ measure }) => cell(one, measure)),
      (['cpp', 'radix'] as const).map((name) => medianOf(one, name, 'bytesAnEntry')?.toFixed(1) ?? '–').join(' → '),
    ]),
  )
}

function everybody(run: MemTableRun): string[] {
  const one = standardCase(run)
  const names = SUBJECT_NAMES.filter((name) => one.figures[name] !== undefined)
  const show = (number: number | undefined, digits: number): string =>
    number === undefined || Number.isNaN(number) ? '–' : Math.max(0, number).toFixed(digits)
  return [
    `${count(one.entries)} entries, ${KINDS[one.kind]}; nanoseconds an operation, bytes an entry.`,
    '',
    ...table(
      [
        '',
        ...MEASURES.map(({ title }) => title),
        'insert, beside varve',
        'bytes',
        'of it on the heap',
        'longest pause, ms',
      ],
      names.map((name) => [
        SUBJECTS[name].name,
        ...MEASURES.map(({ measure }) => show(medianOf(one, name, measure), 0)),
        times(advantageOver(one, name, 'insertNs')?.median ?? Number.NaN),
        show(medianOf(one, name, 'bytesAnEntry'), 0),
        show(medianOf(one, name, 'heapBytesAnEntry'), 1),
        show(medianOf(one, name, 'pauseMs'), 1),
      ]),
    ),
  ]
}

function pauses({ pause }: MemTableRun): string {
  return (
    `${count(pause.entries)} random inserts into ${pause.tables} tables that took turns, three frozen ones kept: ` +
    `${ns((pause.elapsedMs * 1e6) / pause.entries)} an insert with its key being made; ${pause.collections} collections of garbage, ` +
    `${pause.totalMs.toFixed(1)} ms in all, the longest ${pause.longestMs.toFixed(2)} ms; the longest rotation ` +
    `${pause.rotationMs.toFixed(2)} ms.`
  )
}

function sharing({ sharing, plan }: MemTableRun): string[] {
  const cost = (figures: SharingFigures, mode: 'other' | 'live'): string => {
    const { median, min, max } = readerCost(figures, mode)
    return `${percent(median)} (${percent(min)} to ${percent(max)})`
  }
  return [
    `A thread looks for random keys all the time, while ${count(plan.sharingEntries)} entries are written: in the live table, or in ` +
      'another one, which tells what a busy second core costs by itself.',
    '',
    ...table(
      ['published every', 'reader of another table costs', 'reader of the live table costs', 'its lookups a second'],
      sharing.map((figures) => [
        count(figures.batchEntries),
        cost(figures, 'other'),
        cost(figures, 'live'),
        count(Math.round(figures.readsPerSecond)),
      ]),
    ),
  ]
}

function rounded(number: number | undefined): number {
  return number === undefined ? 0 : Math.round(number * 10) / 10
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)]
}
