/**
 * deopt-guard: runs the hot paths of the engine in a process whose V8 logs what it compiles, and finds in the hot files what would
 * make them slow without being wrong: functions whose code is thrown away again and again after the compiler has seen them at
 * work, and places where an object's shape is looked up anew each time, since too many shapes came by. Every round begins with
 * a full garbage collection: code goes with the last object of a class that it has seen (src/db/read/idle-scan.ts).
 *
 *   node .build/tools/deopt-guard.js      status 1 if there is a finding
 *
 * Nothing is timed. One deoptimisation says nothing: code is compiled early, on what was seen so far. A loop of them does.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readV8Log, type V8Log } from './deopt/v8-log.ts'

/** What runs for every entry: all functions of these files. */
export const HOT_FILES: readonly string[] = [
  'src/memtable/memtable.ts',
  'src/memtable/radix-tree.ts',
  'src/memtable/radix-node.ts',
  'src/memtable/radix-leaf.ts',
  'src/memtable/radix-descent.ts',
  'src/batch/batch-format.ts',
  'src/batch/write-batch.ts',
  'src/log/log-writer.ts',
  'src/db/write/commit-driver.ts',
  'src/db/write/commit-queue.ts',
  'src/db/write/write-ahead-log.ts',
  'src/db/write/write-group.ts',
  'src/db/read/range-filters.ts',
  'src/db/read/reader.ts',
  'src/db/read/db-iterator.ts',
  'src/db/read/scan.ts',
  'src/iterator/merging-iterator.ts',
  'src/jobs/compaction-inputs.ts',
  'src/jobs/compaction-job.ts',
  'src/table/ordered-cursor.ts',
  'src/table/table-builder.ts',
  'src/table/block-search.ts',
  'src/table/block-cursor.ts',
  'src/table/block-iterator.ts',
  'src/table/block-builder.ts',
  'src/table/table-index.ts',
  'src/table/table.ts',
  'src/table/snappy-encoder.ts',
  'src/table/snappy-decoder.ts',
  'src/base/crc32c.ts',
  'src/base/coding.ts',
  'src/base/copy-pool.ts',
]
const WORKLOAD = fileURLToPath(new URL('deopt/workload.js', import.meta.url))
/** Compiled at once, not when a thread has time for it: a run is then like the one before. */
const FLAGS = ['--log-code', '--log-deopt', '--log-ic', '--no-concurrent-recompilation', '--expose-gc']
const ROUNDS = 16
/** Rounds in which the compiler may be wrong. */
const WARM_UP_ROUNDS = 8
/** Rounds after those in which the code of one function is thrown away: more are a loop. */
const DEOPT_ROUNDS = 3

export interface DeoptFinding {
  readonly file: string
  readonly message: string
}

/** The logs of all threads of a process that runs `script`. */
export function logsOf(script: string, rounds: number = ROUNDS): V8Log[] {
  const directory = mkdtempSync(join(tmpdir(), 'varve-deopt-'))
  try {
    const args = [...FLAGS, `--logfile=${join(directory, 'v8.log')}`, script, String(rounds), directory]
    execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    const logs = readdirSync(directory).filter((name) => name.endsWith('v8.log'))
    return logs.map((name) => readV8Log(readFileSync(join(directory, name), 'latin1')))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** @param files to look at: the paths of sources, from the root */
export function findingsOf(logs: readonly V8Log[], files: readonly string[]): DeoptFinding[] {
  const seen = new Set(logs.flatMap(({ places }) => places.map(({ file }) => file)))
  const missing = files.filter((file) => !seen.has(file))
  return [
    ...missing.map((file) => ({ file, message: 'did not run: list what took its place' })),
    ...logs.flatMap((log) => [...deoptLoops(log, files), ...megamorphicPlaces(log, files)]),
  ]
}

function deoptLoops({ deopts }: V8Log, files: readonly string[]): DeoptFinding[] {
  const loops = new Map<
    string,
    { readonly file: string; readonly rounds: Set<number>; readonly reasons: Set<string> }
  >()
  for (const { file, name, round, reason } of deopts) {
    if (round <= WARM_UP_ROUNDS || !files.includes(file)) continue
    const key = `${file} ${name}`
    const loop = loops.get(key) ?? { file, rounds: new Set(), reasons: new Set() }
    loops.set(key, loop)
    loop.rounds.add(round)
    loop.reasons.add(reason)
  }
  return [...loops]
    .filter(([, { rounds }]) => rounds.size > DEOPT_ROUNDS)
    .map(([key, { file, rounds, reasons }]) => ({
      file,
      message: `${key.slice(file.length + 1)}: code thrown away in ${rounds.size} rounds: ${[...reasons].join(', ')}`,
    }))
}

function megamorphicPlaces({ megamorphic }: V8Log, files: readonly string[]): DeoptFinding[] {
  return megamorphic
    .filter(({ file }) => files.includes(file))
    .map(({ file, name, kind, line, property }) => ({
      file,
      message: `${name}: megamorphic ${kind} of ${property}, line ${line} of the compiled file`,
    }))
}

function main(): void {
  const findings = findingsOf(logsOf(WORKLOAD), HOT_FILES)
  for (const { file, message } of findings) console.log(`${file}: ${message}`)
  console.log(`deopt-guard: ${findings.length} findings in ${HOT_FILES.length} files, Node.js ${process.version}`)
  process.exitCode = findings.length > 0 ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
