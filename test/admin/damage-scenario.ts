/**
 * A directory made by hand, line by line, and what the operations on a whole database say of it and leave of it: the commands of
 * the transcripts in test/testdata/admin.
 *
 *   files            a new directory; a line of input is a file, and what is in it:
 *     NAME table PART…      `abc` a data block of these letters; `abc/z` under another separator; `+N` stray bytes; `filter` one that
 *                           is none; `denies` one that denies all keys, `other` such a block under another name; `again` the
 *                           last data block, named as if it were one; `unreadable:abc`; `!index`, `!footer`
 *     NAME log PART…        `abc` a batch; `abc@7` from another sequence number on; `none` without ops; `cut` one that is cut short;
 *                           `a..c@9` a range delete
 *     NAME manifest EDIT;…  fields: `log 7`, `previous 6`, `next 100`, `last 26`, `pointer 1 c`, `drop 1 5`, `add 1 5 a..c`, with
 *                           the length of the table that is there; `bytes 9` another one; or `none`, which is no edit
 *     NAME text TEXT        with a line feed
 *     any of them           `cut=N` to N bytes, or by -N; `flip=N` a byte
 *   repair, verify, destroy    the report; `progress`, each step of it, a second apart; `dry`; `until=N`, aborted at the Nth
 *                    step; `at=CALL`, aborted at the first such call; `calls`, those that change something;
 *                    `bloom=(10,0)`, bits of filters by level
 *   keys, manifest, tree       what is there now
 */
import assert from 'node:assert/strict'
import { destroy } from '../../src/admin/destroy.ts'
import { type RepairOptions, repair } from '../../src/admin/repair.ts'
import type { RepairReport } from '../../src/admin/repair-report.ts'
import { verify } from '../../src/admin/verify.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { VarveError } from '../../src/base/errors.ts'
import { parseFileName } from '../../src/base/filename.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import type { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { dumpManifest } from '../../src/inspect/dump-manifest.ts'
import type { BlockHandle } from '../../src/table/table-format.ts'
import { readCurrent } from '../../src/version/manifest.ts'
import { encodeEdit, type LevelFile, type VersionEdit } from '../../src/version/version-edit.ts'
import { DIRECTORY, type Directory, directoryOf, environmentOf, flipped } from '../db/directories.ts'
import type { Command } from '../support/datadriven.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { bytesOf } from '../table/entries.ts'
import { batchOf, FILTER_NAME, type FileBytes, HandmadeTable, internalKey, logOf, rangeDeleteOf } from './handmade.ts'
import { contentIn } from './histories.ts'

export class DamageScenario {
  #memory: MemoryEnvironment = environmentOf(new Map())
  #original: Directory = new Map()

  async run(command: Command): Promise<string> {
    switch (command.name) {
      case 'files':
        return this.#files(command.lines)
      case 'repair':
        return await this.#told(command, async (options) => repairLines(await repair(DIRECTORY, options)))
      case 'verify':
        return await this.#told(command, async (options) => verifyLines(await verify(DIRECTORY, options)))
      case 'destroy':
        return await this.#told(command, async (options) => {
          const { directory, removed, left } = await destroy(DIRECTORY, options)
          return [directory, `removed ${removed.join(' ')}`, `left ${left.join(' ')}`]
        })
      case 'keys':
        return [...(await contentIn(this.#memory))].map(([key, value]) => `${key}=${value}`).join(' ')
      case 'manifest':
        return this.#manifest()
      case 'tree':
        return this.#tree()
      default:
        return command.unknown()
    }
  }

  #files(lines: readonly string[]): string {
    const files = new Map<string, FileBytes>()
    for (const line of lines) {
      const [name, kind, ...words] = line.split(' ')
      const isChange = (word: string): boolean => /^(cut|flip)=/.test(word)
      let bytes = made(
        kind,
        words.filter((word) => !isChange(word)),
        files,
      )
      for (const word of words.filter(isChange)) {
        const [change, number] = word.split('=')
        bytes = change === 'cut' ? bytes.slice(0, Number(number)) : flipped(bytes, Number(number))
      }
      files.set(name, bytes)
    }
    this.#original = files
    this.#memory = environmentOf(files)
    return ''
  }

  /** What an operation reports, how far it said that it was, and how long it thinks that it took. */
  async #told(command: Command, run: (options: RepairOptions) => Promise<readonly string[]>): Promise<string> {
    const memory = this.#memory
    const aborter = new AbortController()
    const until = command.number('until', 0)
    const lines: string[] = []
    const environment = new FaultEnvironment(memory, {
      directory: DIRECTORY,
      faultAt: ({ op }) => {
        if (op === command.text('at', '')) aborter.abort()
        return undefined
      },
    })
    const options: RepairOptions = {
      environment,
      signal: aborter.signal,
      onProgress: ({ file, bytes, totalBytes }) => {
        lines.push(`at ${file} ${bytes}/${totalBytes}`)
        memory.clock.advance(1000)
        if (lines.length === until) aborter.abort()
      },
      ...(command.has('dry') && { dryRun: true }),
      ...(command.has('bloom') && { bloomBitsPerKey: command.list('bloom').map(Number) }),
    }
    memory.clock.advance(7000)
    const answer = await run(options).catch((error: unknown) => {
      if (error instanceof VarveError) return [error.code]
      throw error
    })
    assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0])
    const calls = environment.calls.filter((call) => !/^(open|read|close|list|status|lock|unlock)\b/.test(call))
    return [...(command.has('progress') ? lines : []), ...(command.has('calls') ? calls : []), ...answer].join('\n')
  }

  #manifest(): string {
    const number = readCurrent(this.#memory.files, DIRECTORY)
    const bytes = this.#memory.readAll(`${DIRECTORY}/MANIFEST-${String(number).padStart(6, '0')}`)
    return [...dumpManifest(new MemoryFile(bytes), { hex: false, maxBytes: 40 })].join('\n')
  }

  /** Names of files, and which of those that there were each is. */
  #tree(): string {
    const originals = [...this.#original].map(([name, bytes]) => [name, Buffer.from(bytes)] as const)
    return [...directoryOf(this.#memory)]
      .map(([name, bytes]) => {
        const same = originals.filter(([, original]) => original.equals(bytes)).map(([original]) => original)
        return same.includes(name) ? name : `${name}, ${same.length === 0 ? 'new' : `was ${same.join(' or ')}`}`
      })
      .join('\n')
  }
}

function made(kind: string, parts: readonly string[], files: Directory): FileBytes {
  switch (kind) {
    case 'table':
      return tableFrom(parts)
    case 'log':
      return logOf(parts.map(recordFrom))
    case 'manifest':
      return logOf(
        parts
          .join(' ')
          .split(';')
          .map((edit) => editFrom(edit.trim().split(' '), files)),
      )
    case 'text':
      return bytesOf(`${parts.join(' ')}\n`)
    default:
      throw new Error(`no file is called ${kind}`)
  }
}

/** A filter block with one filter, for the first 2 KiB of data, whose bits are all 0. */
const DENYING = Uint8Array.of(...new Array<number>(8).fill(0), 6, 0, 0, 0, 0, 9, 0, 0, 0, 11)

function tableFrom(parts: readonly string[]): FileBytes {
  const table = new HandmadeTable()
  const damaged: ('index' | 'footer')[] = []
  let last: BlockHandle | undefined
  for (const part of parts) {
    const [letters, separator] = part.split('/')
    if (part === '!index') damaged.push('index')
    else if (part === '!footer') damaged.push('footer')
    else if (part === 'filter') table.named(FILTER_NAME, bytesOf('no filter'))
    else if (part === 'denies') table.named(FILTER_NAME, DENYING)
    else if (part === 'other') table.named('filter.other', DENYING)
    else if (part === 'again' && last !== undefined) table.name('stats', last)
    else if (part.startsWith('+')) table.stray(Number(part.slice(1)))
    else if (part.startsWith('unreadable:')) table.unreadable(part.slice('unreadable:'.length))
    else last = table.data(letters, separator)
  }
  return table.finish(damaged)
}

function recordFrom(part: string): FileBytes {
  if (part === 'none') return batchOf('', 1)
  if (part === 'cut') return batchOf('xy').slice(0, -1)
  const [letters, sequence] = part.split('@')
  const [from, to] = letters.split('..')
  if (to !== undefined) return rangeDeleteOf(from, to, Number(sequence))
  return batchOf(letters, sequence === undefined ? undefined : Number(sequence))
}

type Fields = { -readonly [Name in keyof VersionEdit]: VersionEdit[Name] }

/** Fields of one edit; the first one of a MANIFEST names the comparator, as all do here. */
function editFrom(words: readonly string[], files: Directory): FileBytes {
  if (words[0] === 'none') return Uint8Array.of(99)
  const edit: Fields = { comparator: bytewiseComparator.name }
  const added: LevelFile[] = []
  let at = 0
  const next = (): string => words[at++] ?? ''
  const number = (): number => Number(next())
  while (at < words.length) {
    const field = next()
    if (field === 'log') edit.logNumber = fileNumber(number())
    else if (field === 'previous') edit.previousLog = fileNumber(number())
    else if (field === 'next') edit.nextFile = fileNumber(number())
    else if (field === 'last') edit.lastSequence = sequenceNumber(number())
    else if (field === 'pointer') edit.compactPointers = [{ level: number(), key: internalKey(next()) }]
    else if (field === 'drop') edit.deletedFiles = [{ level: number(), number: fileNumber(number()) }]
    else if (field === 'bytes') added.push(withBytes(added.pop(), number()))
    else if (field === 'add') {
      const level = number()
      const table = fileNumber(number())
      const [smallest, largest] = next().split('..').map(internalKey)
      added.push({ level, file: { number: table, bytes: lengthOf(table, files), smallest, largest } })
    } else throw new Error(`no field is called ${field}`)
  }
  return encodeEdit({ ...edit, newFiles: added })
}

function withBytes(added: LevelFile | undefined, bytes: number): LevelFile {
  assert.ok(added !== undefined, 'of no table')
  return { ...added, file: { ...added.file, bytes } }
}

function lengthOf(table: number, files: Directory): number {
  return (
    [...files].find(([name]) => parseFileName(name)?.type === 'table' && parseFileName(name)?.number === table)?.[1]
      .length ?? 100
  )
}

function repairLines(report: RepairReport): string[] {
  const text = (key: Uint8Array | undefined): string => (key === undefined ? '' : Buffer.from(key).toString())
  const { directory, isNeeded, isDryRun, levels, manifest = 'none', lastSequence, durationMs } = report
  const { entriesKept, entriesWritten, tablesWritten } = report
  const outcome = `${isNeeded ? 'needed' : 'not needed'}${isDryRun ? ', dry' : ''}`
  return [
    `${directory}: ${outcome}; levels ${levels}, MANIFEST ${manifest}, last sequence ${lastSequence}, ${Math.round(durationMs / 1000)} s`,
    `kept ${entriesKept} entries, wrote ${entriesWritten} in ${tablesWritten} tables`,
    ...report.files.map(({ name, action, entries, movedTo }) => {
      return `  ${name} ${action}, ${entries} entries${movedTo === undefined ? '' : `, now ${movedTo}`}`
    }),
    ...report.givenUp.map(({ file, offset, bytes, reason, losesEntries, from, to }) => {
      return `  ${file} ${offset}+${bytes}: ${reason}${losesEntries ? `, loses ${text(from)}..${text(to)}` : ''}`
    }),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
  ]
}

function verifyLines(report: Awaited<ReturnType<typeof verify>>): string[] {
  const { directory, isDamaged, entries, bytes, durationMs, files, findings } = report
  return [
    `${directory}: ${isDamaged ? 'damaged' : 'sound'}; ${entries} entries in ${bytes} bytes, ${Math.round(durationMs / 1000)} s`,
    ...files.map(({ name, kind, isLive, level = '-', entries: inFile, bytes: length }) => {
      return `  ${name} ${kind}, ${isLive ? 'live' : 'idle'}, level ${level}, ${inFile} entries, ${length} bytes`
    }),
    ...findings.map(({ file, offset = '-', severity, message }) => `  ${file} at ${offset}: ${severity}: ${message}`),
  ]
}
