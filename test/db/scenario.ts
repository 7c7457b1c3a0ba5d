/**
 * Scenario: a database in memory that is driven by lines of text, for datadriven tests: a transcript of commands and of
 * what the database says. All file-system calls are recorded, so that the same commands also serve the goldens of calls.
 *
 * Commands  open [option=value …]     write [sync] [durability=…]   (lines: put KEY VALUE, del KEY, del-range KEY KEY;
 *                                                    one write a line)
 *           turn                      as write, but all lines are issued before the first is awaited; a line that ends in
 *                                     `sync` is a synchronous write
 *           batch [sync]              all lines in one WriteBatch
 *           get KEY … [snapshot=S]    scan [gte= gt= lte= lt= reverse limit= snapshot=]
 *           snapshot S, release S     flush, close, stats, files, events
 *           fill FROM TO [bytes=N]    put keys k0FROM to k0TO, with values of N bytes; `drop FROM TO` deletes them
 *           compact [from=K to=K]     settle: until nothing is compacted any more; levels: their tables
 *           begin-scan S, end-scan S  a scan that is held; `pull S [count=N]` goes on with it
 *           kill                      go on with what a killed process leaves
 *           crash mode=M seed=N       go on with what a power loss leaves
 *           cut file=F bytes=N        truncate a file, after the database was closed, killed or crashed
 *           flip file=F offset=N      damage one byte of it
 *           remove file=F
 *           fault op=O path=P code=C  from now on such calls fail, on paths that end in P; without arguments: none
 *           time ms=N                 run the timers up to then
 * Text      `''` is the empty string, `x*100` a hundred x; values longer than 40 bytes are told by their length.
 */
import { VarveError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import type { Entry, Scan } from '../../src/db/read/scan.ts'
import type { ScanOptions } from '../../src/db/read/scan-options.ts'
import type { Snapshot } from '../../src/db/snapshot.ts'
import type { CrashMode } from '../../src/env/crash-image.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { Command } from '../support/datadriven.ts'
import type { FaultCode } from '../support/fault-call.ts'
import { FaultEnvironment } from '../support/fault-env.ts'

export const DIRECTORY = '/db'

const EVENTS = ['flush', 'compaction', 'stall', 'error', 'background-error'] as const

export class Scenario {
  memory: MemoryEnvironment = new MemoryEnvironment()
  environment: FaultEnvironment = new FaultEnvironment(this.memory, { directory: DIRECTORY })
  #db: DB | undefined = undefined
  readonly #snapshots = new Map<string, Snapshot>()
  readonly #scans = new Map<string, Scan<Entry>>()
  #events: string[] = []

  /** Carry out one command; an error that varve throws on purpose is an answer. */
  async run(command: Command): Promise<string> {
    try {
      return await this.#run(command)
    } catch (error) {
      if (error instanceof VarveError) return describeError(error)
      throw error
    }
  }

  async end(): Promise<void> {
    await this.#db?.close().catch(() => {})
  }

  async #run(command: Command): Promise<string> {
    switch (command.name) {
      case 'open':
        return this.#open(command)
      case 'write':
        return this.#write(command)
      case 'turn':
        return this.#turn(command)
      case 'batch':
        return this.#batch(command)
      case 'get':
        return this.#get(command)
      case 'scan':
        return this.#scan(command)
      case 'snapshot':
        this.#snapshots.set(command.keys[0], this.#open_.snapshot())
        return `sequence ${this.#snapshots.get(command.keys[0])?.sequence}`
      case 'release':
        this.#snapshots.get(command.keys[0])?.close()
        return ''
      case 'flush':
        await this.#open_.flush()
        return ''
      case 'close':
        await this.#open_.close()
        return ''
      case 'stats':
        return describeStats(this.#open_)
      case 'events':
        return this.#events.splice(0).join('\n')
      case 'fill':
      case 'drop':
        return this.#fill(command)
      default:
        return this.#compactions(command)
    }
  }

  async #compactions(command: Command): Promise<string> {
    const [name] = command.keys
    switch (command.name) {
      case 'compact': {
        const [from, to] = [command.list('from')[0], command.list('to')[0]]
        await this.#open_.compactRange(from, to)
        return ''
      }
      case 'settle':
        return settle(this.#open_)
      case 'levels':
        return describeLevels(this.#open_)
      case 'begin-scan':
        this.#scans.set(name, this.#open_.scan())
        return ''
      case 'pull':
        return this.#pull(name, command.number('count', 1))
      case 'end-scan':
        this.#scans.get(name)?.close()
        return ''
      default:
        return this.#files(command)
    }
  }

  async #fill(command: Command): Promise<string> {
    const [from, to] = command.keys.map(Number)
    for (let i = from; i <= to; i++) {
      const key = `k${String(i).padStart(4, '0')}`
      if (command.name === 'fill') await this.#open_.put(key, '.'.repeat(command.number('bytes', 100)))
      else await this.#open_.delete(key)
    }
    return ''
  }

  async #pull(name: string, count: number): Promise<string> {
    const lines: string[] = []
    for (let i = 0; i < count; i++) {
      const { value } = (await this.#scans.get(name)?.next()) ?? {}
      lines.push(value === undefined ? 'the end' : `${show(value[0])} = ${show(value[1])}`)
    }
    return lines.join('\n')
  }

  #files(command: Command): string {
    switch (command.name) {
      case 'files':
        return listFiles(this.memory)
      case 'kill':
        this.#use(this.memory.processCrashImage())
        return ''
      case 'crash':
        this.#use(this.memory.crashImage(command.number('mode') as CrashMode, new Prng(command.number('seed', 1))))
        return ''
      case 'cut':
        this.#edit(command, (bytes) => bytes.slice(0, command.number('bytes')))
        return ''
      case 'flip':
        this.#edit(command, (bytes) => flipped(bytes, command.number('offset')))
        return ''
      case 'remove':
        this.memory.files.remove(`${DIRECTORY}/${command.text('file')}`)
        return ''
      case 'fault':
        this.#fault(command)
        return ''
      case 'time':
        this.memory.runTimers(command.number('ms'))
        return ''
      default:
        return command.unknown()
    }
  }

  #fault(command: Command): void {
    const code = command.list('code')[0] as FaultCode | undefined
    if (code === undefined) {
      this.environment.setFaults(undefined)
      return
    }
    const [op, suffix] = [command.text('op'), command.text('path', '')]
    this.environment.setFaults((call) => (call.op === op && call.path.endsWith(suffix) ? { code } : undefined))
  }

  get #open_(): DB {
    if (this.#db === undefined) throw new Error('open first')
    return this.#db
  }

  #use(memory: MemoryEnvironment): void {
    this.memory = memory
    this.environment = new FaultEnvironment(memory, { directory: DIRECTORY })
    this.#db = undefined
  }

  #edit(command: Command, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): void {
    const path = `${DIRECTORY}/${command.text('file')}`
    this.memory.write(path, change(this.memory.readAll(path)))
  }

  async #open(command: Command): Promise<string> {
    const given = Object.fromEntries(command.keys.map((key) => [key, optionValue(command.list(key))]))
    // Not compressed: values are told by their length alone, and the sizes of tables should follow from them.
    const options: Options = { workers: 0, compression: 'none', ...given, environment: this.environment }
    this.#db = await open(DIRECTORY, options)
    for (const event of EVENTS) this.#db.on(event, (detail) => this.#events.push(describeEvent(event, detail)))
    return describeRecovery(this.#db)
  }

  async #write(command: Command): Promise<string> {
    for (const line of command.lines) await this.#issue(`${line}${command.has('sync') ? ' sync' : ''}`, command)
    return ''
  }

  async #turn(command: Command): Promise<string> {
    const outcomes = await Promise.allSettled(command.lines.map(async (line) => this.#issue(line, command)))
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
    return failed.map((outcome) => describeError(outcome.reason)).join('\n')
  }

  /** `put KEY VALUE [durability] [sync]`, `del KEY [durability] [sync]`, `del-range START END [durability] [sync]`. */
  #issue(line: string, command: Command): Promise<void> | void {
    const words = line.split(' ')
    const isSync = words.at(-1) === 'sync'
    if (isSync) words.pop()
    const [isPut, isRange] = [words[0] === 'put', words[0] === 'del-range']
    const durability = words[isPut || isRange ? 3 : 2] ?? command.list('durability')[0]
    const options = durability === undefined ? undefined : { durability: durability as 'disk' }
    const db = this.#open_
    if (isPut && isSync) return db.putSync(text(words[1]), text(words[2]), options)
    if (isPut) return db.put(text(words[1]), text(words[2]), options)
    if (isRange && isSync) return db.deleteRangeSync(text(words[1]), text(words[2]), options)
    if (isRange) return db.deleteRange(text(words[1]), text(words[2]), options)
    return isSync ? db.deleteSync(text(words[1]), options) : db.delete(text(words[1]), options)
  }

  async #batch(command: Command): Promise<string> {
    const batch = new WriteBatch()
    for (const line of command.lines) {
      const [operation, key, value] = line.split(' ')
      if (operation === 'put') batch.put(text(key), text(value))
      else if (operation === 'del-range') batch.deleteRange(text(key), text(value))
      else batch.delete(text(key))
    }
    const durability = command.list('durability')[0]
    const options = durability === undefined ? undefined : { durability: durability as 'disk' }
    if (command.has('sync')) this.#open_.writeSync(batch, options)
    else await this.#open_.write(batch, options)
    return ''
  }

  async #get(command: Command): Promise<string> {
    const snapshot = this.#snapshot(command)
    const lines: string[] = []
    for (const key of command.keys) {
      if (key === 'snapshot') continue
      const value = await this.#open_.get(text(key), { ...snapshot })
      lines.push(value === undefined ? `${key} is absent` : `${key} = ${show(value)}`)
    }
    return lines.join('\n')
  }

  async #scan(command: Command): Promise<string> {
    const bounds = ['gte', 'gt', 'lte', 'lt'].filter((bound) => command.has(bound))
    const options: ScanOptions = {
      ...Object.fromEntries(bounds.map((bound) => [bound, text(command.text(bound))])),
      ...(command.has('limit') && { limit: command.number('limit') }),
      ...(command.has('reverse') && { reverse: true }),
      ...this.#snapshot(command),
    }
    const lines: string[] = []
    for await (const [key, value] of this.#open_.scan(options)) lines.push(`${show(key)} = ${show(value)}`)
    return lines.join('\n')
  }

  #snapshot(command: Command): { snapshot?: Snapshot } {
    const snapshot = this.#snapshots.get(command.list('snapshot')[0] ?? '')
    return snapshot === undefined ? {} : { snapshot }
  }
}

/** The names and sizes of a database's files. */
export function listFiles(memory: MemoryEnvironment, directory: string = DIRECTORY): string {
  return memory
    .paths()
    .filter((path) => path.startsWith(`${directory}/`))
    .map((path) => `${path.slice(directory.length + 1)} ${memory.readAll(path).length}`)
    .join('\n')
}

export function flipped(bytes: Uint8Array<ArrayBuffer>, offset: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice()
  copy[offset] ^= 0xff
  return copy
}

/** An error in one line: its code, its outcome if it is a write's, and what it says. */
export function describeError(error: Error): string {
  if (!(error instanceof VarveError)) return String(error)
  const outcome = error.outcome === undefined ? '' : ` ${error.outcome}`
  return `${error.code}${outcome}: ${error.message}`
}

function optionValue(values: readonly string[]): unknown {
  const [value] = values
  if (value === undefined || value === 'true') return true
  if (value === 'false') return false
  return /^\d+$/.test(value) ? Number(value) : value
}

function text(word: string): string {
  if (word === "''") return ''
  const [, unit, count] = /^(.)\*(\d+)$/.exec(word) ?? []
  return unit === undefined ? word : unit.repeat(Number(count))
}

function show(bytes: Uint8Array): string {
  if (bytes.length === 0) return "''"
  return bytes.length > 40 ? `(${bytes.length} bytes)` : Buffer.from(bytes).toString()
}

function describeRecovery(db: DB): string {
  const { created, entries, logs, tablesWritten, discarded, manifestTornAt, lastSequence } = db.recoveryInfo
  const lines = [created ? 'created' : `opened at sequence ${lastSequence}`]
  if (entries > 0) lines.push(`replayed ${entries} entries of ${logs.length} logs into ${tablesWritten} tables`)
  for (const { file, offset, bytes, reason } of discarded) {
    lines.push(`discarded ${bytes} bytes at ${offset} of ${file}: ${reason}`)
  }
  if (manifestTornAt !== undefined) lines.push(`manifest torn at ${manifestTornAt}`)
  return lines.join('\n')
}

function describeStats(db: DB): string {
  const { active, immutables, logs, tables, ...rest } = db.stats()
  const lines = [
    `sequence ${rest.lastSequence}, manifest ${rest.manifestNumber}`,
    `active: ${active.entries} entries, ${active.tombstones} tombstones${ranges(active)}, log ${active.logNumber}`,
    ...immutables.map((table) => `frozen: ${table.entries} entries${ranges(table)}, log ${table.logNumber}`),
    ...logs.map(({ number, bytes, syncedBytes }) => `log ${number}: ${bytes} bytes, ${syncedBytes} durable`),
    ...tables.map(({ level, number, bytes, smallest, largest }) => {
      return `table ${number} in level ${level}: ${bytes} bytes, ${show(smallest)} to ${show(largest)}`
    }),
    `${rest.openSnapshots} snapshots, ${rest.openScans} scans, ${rest.flushes} flushes, ${rest.stalls} stalls`,
  ]
  if (rest.poisonedBy !== undefined) lines.push(`poisoned: ${rest.poisonedBy}`)
  return lines.join('\n')
}

function ranges({ rangeTombstones }: { readonly rangeTombstones: number }): string {
  return rangeTombstones === 0 ? '' : `, ${rangeTombstones} ranges`
}

/** Inline, a compaction goes on by a slice each turn of the event loop, and the next one may begin in the same turn. */
async function settle(db: DB): Promise<string> {
  for (let idle = 0; idle < 3; idle = db.stats().isCompacting ? 0 : idle + 1) {
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return ''
}

function describeLevels(db: DB): string {
  const { levels, tables } = db.stats()
  return levels
    .filter((level) => level.tables > 0)
    .map(({ level, bytes }) => {
      const shown = tables
        .filter((table) => table.level === level)
        .map(({ number, smallest, largest }) => `  ${number}: ${show(smallest)} to ${show(largest)}`)
      return [`level ${level}: ${bytes} bytes`, ...shown].join('\n')
    })
    .join('\n')
}

function describeEvent(name: string, detail: object): string {
  const figures = Object.entries(detail).filter(([key]) => key !== 'durationMs' && key !== 'sinceMs')
  return [name, ...figures.map(([key, value]) => `${key}=${value instanceof Error ? value.message : value}`)].join(' ')
}
