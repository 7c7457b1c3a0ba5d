/**
 * What RELIABILITY.md says besides figures: the promises, what was aimed at, what others publish, and what no campaign covers.
 */

/** A promise, and the campaigns that try to break it. */
export interface Promised {
  readonly text: string
  readonly campaigns: readonly string[]
}

export const PROMISES: readonly Promised[] = [
  {
    text: 'A write that was acknowledged at `disk` survives a loss of power, if the device honours a flush. A write that was acknowledged at `os`, the default, survives the end of the process.',
    campaigns: ['t01', 't02', 't03', 't05', 't11', 't19'],
  },
  {
    text: 'After any crash the database holds a prefix of the writes, in the order in which they were made, each of them whole: no holes and no half batches, whatever durabilities were mixed.',
    campaigns: ['t01', 't02', 't05', 't09', 't19'],
  },
  {
    text: 'It opens after any crash. A crash during an opening, a closing, a flush or a compaction loses no more than one at any other time, even if the next opening is cut off as well.',
    campaigns: ['t01', 't02', 't09', 't19'],
  },
  {
    text: 'A write that failed before anything of it reached the log says so (`not-written`). Whether any other failed write is there is not known until the database is opened again (`indeterminate`). All writes that share a sync share its outcome.',
    campaigns: ['t03'],
  },
  {
    text: 'After a failure of the log or of the MANIFEST no write is acknowledged until the database is opened again, even if the disk works again before. Reads go on.',
    campaigns: ['t03', 'full-disk'],
  },
  {
    text: 'A byte that has changed in a file is found before anything wrong is returned: an error that names the file, never a wrong value or a missing key. One loss cannot be told from a crash: in the newest log, that of what follows the last sync on record there. From the first damaged record on it is discarded, and reported; if whole records are missing at the end, nothing is left to report. Either way the database is in the state of an earlier moment.',
    campaigns: ['t06', 'peers-damage'],
  },
  {
    text: 'No content of a file can end the process, hang it, or make it take memory out of proportion to the file.',
    campaigns: ['t06', 't07', 't14'],
  },
  {
    text: 'A snapshot gives the same answers for as long as it is held. What is read depends neither on the options nor on when flushes and compactions happen.',
    campaigns: ['t08', 't09', 't13'],
  },
  {
    text: 'Threads that read a MemTable while it is written see whole batches, and never go back in time.',
    campaigns: ['t10'],
  },
  {
    text: 'A call that V8 ends in its midst (the timeout of a vm script, Ctrl-C in a REPL) costs nothing that was acknowledged: reads stay right, and whoever may not write any more is told.',
    campaigns: ['t18'],
  },
  {
    text: 'One process writes. A second opener is refused, in the same process and in another; the header of `src/env/node-lock.ts` says where that holds against LevelDB.',
    campaigns: ['t12'],
  },
  {
    text: 'A database that is closed leaves nothing behind: no descriptor, no timer, no thread; nor does an opening that fails.',
    campaigns: ['t15', 't13'],
  },
]

/** What was aimed at for a long run: the sum of counts of a campaign. */
export interface Goal {
  readonly campaign: string
  readonly counts: readonly string[]
  readonly words: string
  readonly goal: number
}

export const GOALS: readonly Goal[] = [
  {
    campaign: 't01',
    counts: ['crash images', 'images of a crash during recovery', 'killed processes'],
    words: 'images of crashes judged',
    goal: 2_400_000,
  },
  { campaign: 't04', counts: ['mutants found'], words: 'deliberate mistakes found', goal: 30 },
  {
    campaign: 't05',
    counts: ["SIGKILLs of varve at 'os'", "SIGKILLs of varve at 'disk'"],
    words: 'SIGKILLs of a process that writes',
    goal: 5000,
  },
  { campaign: 't06', counts: ['damaged databases opened'], words: 'damaged databases opened', goal: 1_200_000 },
  { campaign: 't07', counts: ['executions'], words: 'executions of decoders', goal: 300_000_000 },
  {
    campaign: 't10',
    counts: ['operations found linearizable'],
    words: 'operations of threads found linearizable',
    goal: 50_000_000,
  },
]

export const NOT_COVERED: readonly string[] = [
  'A machine whose plug is pulled. T19 cuts real file systems (ext4, xfs and btrfs of one Linux kernel) off from a disk that is a program, and replays what of its log a cache may have lost, as dm-log-writes does; what a real device does with what it has not flushed may be something else. Other file systems are covered by the model of the simulation alone, which is stricter than these three.',
  'A device that acknowledges a flush without doing it.',
  'macOS, and Windows itself: the campaigns run on Linux; on Node.js for Windows, only a part of the tests runs, under Wine (`npm run test:windows`).',
  'Other processors than x64: on arm64, only a part of the tests runs, under an emulator that shows the stores of a thread in the order of x64 (`npm run test:arm64`).',
  'Bytes that change in memory, except in MemTables with `memtableChecksums`.',
  'In the simulation a flush is one event, and so is a slice of a compaction: the main thread does nothing in the middle of it. Real threads run in T5, T10, T12 and T13 only, and the order of their steps is not repeatable.',
  'An attacker who changes the directory while it is open, or who makes files with checksums that fit: [SECURITY.md](SECURITY.md).',
  'The amount of computing that SQLite, FoundationDB and TigerBeetle spend on their tests. Where a search is complete here (every call, every error, every short sequence, every byte), it is so for short runs on small databases.',
]

export interface Other {
  readonly campaign: string
  readonly what: readonly string[]
  readonly others: string
}

export const OTHERS: readonly Other[] = [
  {
    campaign: 't01',
    what: ['crash images', 'images of a crash during recovery', 'killed processes'],
    others: 'LevelDB: 24 simulated crashes per run; Pebble: one image per call',
  },
  { campaign: 't02', what: ['lives'], others: 'CrashMonkey: all sequences of up to 3 operations, on file systems' },
  {
    campaign: 't03',
    what: ['faults once', 'faults from then on'],
    others: 'RocksDB: one call in 32 to 1000, at random; Pebble: each call of a test, one error',
  },
  { campaign: 't04', what: ['mutants', 'mutants found'], others: 'we know of no list' },
  {
    campaign: 't05',
    what: ["SIGKILLs of varve at 'os'", "SIGKILLs of varve at 'disk'"],
    others: 'RocksDB: 50 kills in a default run',
  },
  { campaign: 't06', what: ['damaged databases opened'], others: 'LevelDB: 12 tests of chosen damage' },
  {
    campaign: 't07',
    what: ['executions'],
    others: 'LevelDB and RocksDB: fuzz calls, not the bytes of files; SQLite: some 500 million mutations per day',
  },
  {
    campaign: 't08',
    what: ['operations', 'sets of options'],
    others: 'Pebble: 5,000 to 10,000 operations on some 60 configurations per run',
  },
  {
    campaign: 't09',
    what: ['seeds, each twice', 'events'],
    others: 'SlateDB: 4 scenarios per hour; FoundationDB and TigerBeetle: whole clusters, all the time',
  },
  {
    campaign: 't10',
    what: ['schedules', 'operations found linearizable'],
    others: 'LevelDB: 4 threads for 10 seconds',
  },
  {
    campaign: 'coverage',
    what: ['branches', 'branches taken', 'mutants', 'mutants found'],
    others: 'SQLite: every branch, and every condition (MC/DC)',
  },
]
