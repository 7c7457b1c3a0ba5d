/**
 * child: the process of one measurement of a JavaScript subject: warm-up, then every step once, on a subject of its own. Its
 * arguments are the subject, a key file, and how many entries to warm up with; its output, Figures as JSON.
 */
import { KeyFile } from './key-file.ts'
import { MemTableSubject } from './memtable-subject.ts'
import { Pauses } from './pauses.ts'
import { BTreePeer, BUFFERS, RedBlackPeer, STRINGS } from './peers.ts'
import type { Figures, SubjectFactory, SubjectName } from './subject.ts'

const WARM_UPS = 3
/** Lookups and scans of each. */
const WARM_UP_READS = 3
const WARM_UP_PROBES = 20_000

const FACTORIES: Readonly<Partial<Record<SubjectName, SubjectFactory>>> = {
  radix: (file, entries) => new MemTableSubject(file, entries, { representation: 'radix', batchEntries: 1 }),
  radixBatches: (file, entries) => new MemTableSubject(file, entries, { representation: 'radix', batchEntries: 1000 }),
  skiplist: (file, entries) => new MemTableSubject(file, entries, { representation: 'skiplist', batchEntries: 1 }),
  vector: (file, entries) => new MemTableSubject(file, entries, { representation: 'vector', batchEntries: 1000 }),
  btreeStrings: (file, entries) => new BTreePeer(file, entries, STRINGS),
  btreeBuffers: (file, entries) => new BTreePeer(file, entries, BUFFERS),
  redBlackStrings: (file, entries) => new RedBlackPeer(file, entries, STRINGS),
  redBlackBuffers: (file, entries) => new RedBlackPeer(file, entries, BUFFERS),
}

function elapsedNs(step: () => void, operations: number): number {
  const start = performance.now()
  step()
  return ((performance.now() - start) * 1e6) / operations
}

function bytesInUse(): { readonly heap: number; readonly outside: number } {
  // Twice: the first one may leave memory beside the heap to be freed in the background.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, outside: arrayBuffers }
}

function warmUp(create: SubjectFactory, file: KeyFile, entries: number): void {
  for (let i = 0; i < WARM_UPS; i++) {
    const subject = create(file, entries)
    subject.prepare()
    subject.insert()
    for (let j = 0; j < WARM_UP_READS; j++) {
      subject.get('present', Math.min(WARM_UP_PROBES, file.present.count))
      subject.get('missing', Math.min(WARM_UP_PROBES, file.missing.count))
      subject.scan()
    }
  }
}

async function measure(create: SubjectFactory, file: KeyFile, warmUpEntries: number): Promise<Figures> {
  const entries = file.added.count
  const pauses = new Pauses()
  warmUp(create, file, Math.min(warmUpEntries, entries))
  const subject = create(file, entries)
  const before = bytesInUse()
  const prepareNs = elapsedNs(() => subject.prepare(), entries)
  const begin = performance.now()
  const insertNs = elapsedNs(() => subject.insert(), entries)
  const limit = performance.now()
  const after = bytesInUse()
  if (subject.length !== entries) throw new Error(`${subject.length} of ${entries} entries are there`)
  const heapBytes = after.heap - before.heap
  let found = 0
  const getNs = elapsedNs(() => {
    found += subject.get('present', file.present.count)
  }, file.present.count)
  const missingNs = elapsedNs(() => {
    found += subject.get('missing', file.missing.count)
  }, file.missing.count)
  const scanNs = elapsedNs(() => subject.scan(), entries)
  return {
    prepareNs,
    insertNs,
    getNs,
    missingNs,
    scanNs,
    bytesAnEntry: (subject.usedBytes ?? heapBytes + after.outside - before.outside) / entries,
    heapBytesAnEntry: heapBytes / entries,
    pauseMs: Math.max(0, ...(await pauses.between(begin, limit))),
    found,
    checksum: subject.checksum >>> 0,
  }
}

const [name, path, warmUpEntries] = process.argv.slice(2)
const create = FACTORIES[name as SubjectName]
if (create === undefined) throw new Error(`no subject ${name}`)
console.log(JSON.stringify(await measure(create, KeyFile.read(path), Number(warmUpEntries))))
