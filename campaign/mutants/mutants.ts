/**
 * Mutants: deliberate mistakes about durability, each a change of the compiled engine in one place. A campaign that does not find
 * one of them would not find the same mistake made by accident.
 *
 * Not in the list  the comparison of a batch's sequence with the one before it, where it stands alone: no crash takes a record
 *                  out of the middle of a log, and a log whose predecessor has lost its end is told by its first marker
 *                  already. (The mutant that takes both away is there.)
 *
 * `find` is text of a compiled file, any white space standing for any other; it occurs there exactly once.
 */

export interface Mutant {
  readonly name: string
  /** Below src/, without its extension. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The way to look that finds it soonest (hunt.ts); crashes without it. */
  readonly first?: 'faults' | 'levels' | 'damages'
}

const LOG = 'db/write/write-ahead-log'
const MANIFEST = 'version/manifest'

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'the name of a new log is not made durable',
    file: LOG,
    find: 'try { this.#directory.sync(); }',
    replace: 'try { }',
  },
  {
    name: 'a sync makes only the newest log durable',
    file: LOG,
    find: 'if (log.syncedBytes === log.writer.bytes) continue; const bytes',
    replace: 'if (log !== this.#active) continue; const bytes',
  },
  {
    name: 'a sync off the thread makes only the newest log durable',
    file: LOG,
    find: 'if (log === active || log.syncedBytes === log.writer.bytes) continue;',
    replace: 'if (log) continue;',
  },
  {
    name: 'a sync off the thread does nothing',
    file: LOG,
    find: 'return active.writer.syncLater();',
    replace: 'active.writer.flush(); return Promise.resolve();',
  },
  {
    name: 'a sync does nothing',
    file: LOG,
    find: 'const bytes = log.writer.bytes; log.writer.sync();',
    replace: 'const bytes = log.writer.bytes;',
  },
  {
    name: 'what is buffered is forgotten when a log is complete',
    file: LOG,
    find: 'if (this.#logs.length > 0) this.#active.writer.flush();',
    replace: '',
  },
  {
    name: 'a log begins with proof of what was never synced',
    file: LOG,
    find: 'add(bytes, offset, length, sequence) { if (this.#markerDue)',
    replace: 'add(bytes, offset, length, sequence) { if (this.#markers)',
  },
  {
    name: 'an edit is not made durable',
    file: 'jobs/chores',
    find: "if (step !== 'switch') files.syncFile(path);",
    replace: "if (step === 'prepare') files.syncFile(path);",
  },
  {
    name: 'a manifest that takes the place of another is not made durable',
    file: 'jobs/chores',
    find: "if (step !== 'switch') files.syncFile(path);",
    replace: "if (step === 'sync') files.syncFile(path);",
    first: 'levels',
  },
  {
    name: 'a manifest takes the place of another, and CURRENT does not tell',
    file: 'jobs/chores',
    find: 'switchCurrent(files, directory, number);',
    replace: '{ }',
    first: 'levels',
  },
  {
    name: 'a manifest that takes the place of another begins without its version',
    file: 'version/version-set',
    find: 'ManifestWriter.begin(this.#files, this.#directory, number, this.#whole(edit))',
    replace: 'ManifestWriter.begin(this.#files, this.#directory, number, [this.#complete(edit)])',
    first: 'levels',
  },
  {
    name: 'a new manifest is not made durable',
    file: MANIFEST,
    find: 'manifest.sync(); setCurrent(',
    replace: 'setCurrent(',
  },
  {
    name: 'CURRENT is not made durable before it has its name',
    file: MANIFEST,
    find: 'file.append(text, 0, text.length); file.sync();',
    replace: 'file.append(text, 0, text.length);',
  },
  {
    name: 'CURRENT may be there before its manifest is',
    file: MANIFEST,
    find: 'files.syncDirectory(directory); } catch',
    replace: '} catch',
  },
  {
    name: 'files are removed before CURRENT has its name for certain',
    file: MANIFEST,
    find: 'directory, CURRENT)); files.syncDirectory(directory);',
    replace: 'directory, CURRENT));',
  },
  {
    name: 'a flushed table is not made durable',
    file: 'jobs/flush-job',
    find: 'builder.finish(); file.sync();',
    replace: 'builder.finish();',
  },
  {
    name: 'the name of a flushed table is not made durable',
    file: 'jobs/flush-job',
    find: "files.syncDirectory(job.directory); return { kind: 'flush', file: written",
    replace: "return { kind: 'flush', file: written",
  },
  {
    name: 'a compacted table is not made durable',
    file: 'jobs/compaction-outputs',
    find: 'file.sync(); this.#unsynced = undefined;',
    replace: 'this.#unsynced = undefined;',
  },
  {
    name: 'the names of compacted tables are not made durable',
    file: 'jobs/compaction-outputs',
    find: 'if (this.tables.length > 0) this.#files.syncDirectory(this.#directory);',
    replace: '',
  },
  {
    name: 'a version is current that no manifest has',
    file: 'version/version-set',
    find: "if (this.#step === 'sync') manifest.append(this.#complete(edit));",
    replace: '',
  },
  {
    name: 'a failure of the log does not end writing',
    file: 'db/write/commit-queue',
    find: 'health.poison(cause);',
    replace: '',
    first: 'faults',
  },
  {
    name: 'a sync that failed is taken for one that did not',
    file: 'db/write/commit-driver',
    find: 'log.fail(error); this.#queue.failSync(group, error);',
    replace: '',
    first: 'faults',
  },
  {
    name: 'writes are acknowledged before their sync',
    file: 'db/write/commit-driver',
    find: "if (group.durability === 'disk') await this.#syncLater(group);",
    replace: '',
  },
  {
    name: 'synchronous writes are acknowledged before their sync',
    file: 'db/write/commit-driver',
    find: "if (group.durability === 'disk') this.#syncNow(group); else",
    replace: '',
  },
  {
    name: 'writes are acknowledged before they are written',
    file: 'db/write/commit-queue',
    find: 'else log.flush();',
    replace: '',
  },
  {
    name: 'a sequence number is given twice',
    file: 'db/write/commit-queue',
    find: 'group.number(lastSequence + 1);',
    replace: 'group.number(Math.max(1, lastSequence));',
  },
  { name: 'what was replayed last is not kept', file: 'db/opening/recovery', find: 'sink.finish();', replace: ';' },
  {
    name: 'the log that the manifest names is not replayed',
    file: 'version/version-set',
    find: 'number >= logNumber ||',
    replace: 'number > logNumber ||',
  },
  {
    name: 'replay begins a new manifest before its tables are in it',
    file: 'db/opening/recovery',
    find: 'lastSequence: report.lastSequence, ...sink.change }',
    replace: 'lastSequence: report.lastSequence }',
  },
  {
    name: 'a log is let go of that is still needed',
    file: 'db/background/obsolete-files',
    find: 'return parsed.number < live.logNumber;',
    replace: 'return parsed.number <= live.logNumber;',
  },
  {
    name: 'tables are let go of that are still needed',
    file: 'db/background/obsolete-files',
    find: 'return !live.tables.has(parsed.number);',
    replace: 'return true;',
  },
  {
    name: 'checksums of the log are not compared',
    file: 'log/log-format',
    find: 'return crc32c(bytes, at + 6, fragmentLength(bytes, at) + 1) === unmaskCrc(getFixed32(bytes, at));',
    replace: 'return true;',
    first: 'damages',
  },
  {
    name: 'a log of ours is read as if it were LevelDB’s, which may have holes',
    file: 'db/opening/log-replay',
    find: 'isOurs = isMarker(reader);',
    replace: 'isOurs = false;',
  },
  {
    name: 'deletions are forgotten while what they delete is there',
    file: 'jobs/drop-rule',
    find: '&& !this.#mayLieDeeper(key, keyOff, keyLen);',
    replace: ';',
    first: 'levels',
  },
  {
    name: 'newer versions are dropped, and older ones kept',
    file: 'jobs/drop-rule',
    find: 'if (stripe === this.#stripe) return true;',
    replace: 'if (stripe !== this.#stripe) { this.#stripe = stripe; return true; }',
  },
]

/** The text with the mutant's change. @throws Error if its place is not there exactly once */
export function mutate(text: string, { name, find, replace }: Mutant): string {
  const pattern = find
    .trim()
    .split(/\s+/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('\\s+')
  const places = [...text.matchAll(new RegExp(pattern, 'g'))]
  if (places.length !== 1) throw new Error(`“${name}” has ${places.length} places`)
  return text.replace(places[0][0], () => replace)
}
