/**
 * What RELIABILITY.md says besides figures: the promises, what others publish, and what no campaign covers.
 */

export const PROMISES: readonly string[] = [
  'A write that was acknowledged at `disk` survives the loss of power, if the device does what a flush asks of it; at `os`, it survives the end of the process.',
  'After any crash, what is found is the state after some number of whole writes, in the order in which they were made: no hole, no half batch, whatever durabilities were mixed.',
  'A crash during an opening, a closing, a flush or a compaction takes nothing more than a crash at any other time, and the next opening may be cut off, too.',
  'A write that failed before anything of it reached the log says so (`not-written`); of any other failed write it is not known whether it is there. All writes that share a sync share its outcome.',
  'After a failure of the log or the MANIFEST no write is acknowledged any more until the database is opened anew; reads go on.',
  'A byte that changed in a file is found before it is returned: an error that names the file, never a wrong value or a missing key. Nothing in a file makes the process end or hang.',
  'A snapshot answers the same for as long as it is held. What is read is the same whatever the options, and whenever flushes and compactions happen.',
  'One process writes. A second opener is refused, in the same process, in another, and one that uses LevelDB.',
]

export const NOT_COVERED: readonly string[] = [
  'The file system of the simulation is a model, stricter than most: it has not been held against a real loss of power, nor against LazyFS or dm-log-writes.',
  'A device that answers a flush and does not do it; bytes that change in memory, but for MemTables with `memtableChecksums`.',
  'In the simulation a flush, and a slice of a compaction, is one event: the main thread does nothing in the middle of it. Real threads run in T5 and T10 only, and the order of their steps is not repeatable.',
  'An attacker who changes the directory while it is open; encryption.',
  'macOS and Windows: the campaigns run on Linux.',
  'The total of computing time that SQLite, FoundationDB and TigerBeetle spend on their tests. What is exhaustive here is so over small lives: every call, every error, every short sequence.',
]

export const OTHERS: readonly {
  readonly campaign: string
  readonly what: readonly string[]
  readonly others: string
}[] = [
  {
    campaign: 't01',
    what: ['crash images', 'images of a crash during recovery'],
    others: 'LevelDB: 24 simulated crashes a run; Pebble: one image a call',
  },
  {
    campaign: 't02',
    what: ['lives', 'crash images'],
    others: 'CrashMonkey: all sequences of up to 3 operations, on file systems',
  },
  {
    campaign: 't03',
    what: ['faults once', 'faults from then on'],
    others: 'RocksDB: one call in 32 to 1000, at random; Pebble: each call of a test, one error',
  },
  { campaign: 't05', what: ['kills', 'killed processes'], others: 'RocksDB: 50 kills in a default run' },
  {
    campaign: 't08',
    what: ['operations', 'sets of options'],
    others: 'Pebble: 5,000 to 10,000 operations on some 60 configurations a run',
  },
  {
    campaign: 't09',
    what: ['seeds, each twice', 'events'],
    others: 'SlateDB: 4 scenarios an hour; FoundationDB and TigerBeetle: whole clusters, all the time',
  },
  { campaign: 't10', what: ['schedules', 'tests passed'], others: 'LevelDB: 4 threads for 10 seconds' },
  {
    campaign: 't16',
    what: ['branches', 'branches taken', 'mutants', 'mutants found', 'mutants that do the same as the program'],
    others: 'SQLite: all branches, and MC/DC',
  },
]
