/**
 * open-child: a process that opens a database, as a program does that has just started: its code is loaded, and nothing else is
 * warmed up. Before, another process of it has filled the database and closed it (`fill`), or copied its files while it was open,
 * as a crash of the process leaves them (`crash`). Prints milliseconds as JSON: of the opening, and with the first read.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { crc32c } from '../../src/base/crc32c.ts'
import { sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { writeAtOnce, writeInBatches } from '../calls.ts'
import { settle } from '../measurement.ts'
import type { SubjectOptions } from '../subject.ts'
import { openPeer, type PeerName } from './peers.ts'
import { WorkMaker } from './work.ts'

export interface OpenSpec extends SubjectOptions {
  readonly command: 'fill' | 'crash' | 'open'
  readonly peer: PeerName
  readonly keyFile: string
  /** Holds `data`, which is what `open` opens. */
  readonly directory: string
  readonly entries: number
}

export interface OpenFigures {
  readonly openMs: number
  readonly firstReadMs: number
}

/** Of the log, in which a put is one. */
const RECORD_BYTES = 138

const spec = JSON.parse(process.argv[2]) as OpenSpec
const { command, peer, directory, entries } = spec
const data = join(directory, 'data')
const work = new WorkMaker(spec.keyFile)
const step = { name: command, title: command, call: 'put', operations: entries } as const

async function fill(): Promise<void> {
  const subject = await openPeer(peer, data, spec)
  await writeInBatches(subject, work.make({ ...step, source: 'added' }, 1).timed)
  await settle(data)
  await subject.close()
}

async function crash(): Promise<void> {
  if (peer === 'memtable') {
    mkdirSync(data)
    return
  }
  const live = join(directory, 'live')
  const subject = await openPeer(peer, live, spec)
  await writeAtOnce(subject, work.make({ ...step, source: 'added' }, 1).timed, 1000)
  await settle(live)
  if (readdirSync(live).some((name) => name.endsWith('.ldb'))) throw new Error('the log was to hold everything')
  cpSync(live, data, { recursive: true, filter: (path) => basename(path) !== 'LOCK' })
}

/** A floor: the log is read, and its checksums computed. */
function openBare(): OpenFigures {
  const startMs = performance.now()
  const bytes = readFileSync(join(data, 'log'))
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    crc32c(bytes, at, Math.min(RECORD_BYTES, bytes.length - at))
  }
  const openMs = performance.now() - startMs
  return { openMs, firstReadMs: openMs }
}

/** A floor: what the log holds is collected and sorted, as it is before it is written to a table. */
function sortInMemTable(): OpenFigures {
  const { keys, values } = work.make({ ...step, source: 'added' }, 1).timed
  const table = MemTable.create({ capacityBytes: spec.writeBufferBytes, representation: 'vector' })
  const startMs = performance.now()
  for (const [i, key] of keys.entries()) {
    table.add(sequenceNumber(i + 1), ValueType.VALUE, key, 0, key.length, values[i], 0, values[i].length)
  }
  table.freeze()
  const openMs = performance.now() - startMs
  return { openMs, firstReadMs: openMs }
}

async function open(): Promise<OpenFigures> {
  if (peer === 'bare') return openBare()
  if (peer === 'memtable') return sortInMemTable()
  const { timed } = work.make({ ...step, source: 'present', operations: 1 }, 1)
  // Loading the engine's code is not what is measured.
  await (await openPeer(peer, join(directory, 'loaded'), spec)).close()
  const startMs = performance.now()
  const subject = await openPeer(peer, data, spec)
  const openMs = performance.now() - startMs
  const value = subject.getSync(timed.keys[0])
  const firstReadMs = performance.now() - startMs
  if (value === undefined) throw new Error('a key is missing')
  await subject.close()
  return { openMs, firstReadMs }
}

if (command === 'open') console.log(JSON.stringify(await open()))
else await (command === 'fill' ? fill() : crash())
// What was to crash is not closed: that is the point.
process.exit(0)
