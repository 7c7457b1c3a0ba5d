/**
 * Decoders of what does not lie in a database directory: names, dumps, messages, backups, shared memory from another thread,
 * and the texts of the command line.
 */
import { putFixed32 } from '../../src/base/coding.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { isUsualName, parseFileName } from '../../src/base/filename.ts'
import type { Bytes } from '../../src/base/types.ts'
import { bytesFromJson, bytesToJson } from '../../src/cli/entry-json.ts'
import { UsageError } from '../../src/cli/exit.ts'
import { parseText } from '../../src/cli/key-text.ts'
import { Template } from '../../src/cli/template.ts'
import { BackupDecoder, BackupEncoder } from '../../src/db/copies/backup-format.ts'
import { decodeLsmEntry, encodeLsmEntry } from '../../src/memtable/lsm-entry.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { Shape } from '../damage/shapes.ts'
import { EndlessError, type FuzzTarget } from './fuzz-target.ts'

const utf8 = new TextEncoder()
const latin1 = (bytes: Bytes): string => String.fromCharCode(...bytes.subarray(0, 4096))

export function streamTargets(shapes: readonly Shape[]): FuzzTarget[] {
  const names = ['000005.ldb', 'MANIFEST-000004', 'CURRENT', 'LOG.old', '9007199254740991.log', '000007.dbtmp']
  return [
    { name: 'file name', weight: 5, seeds: names.map((name) => utf8.encode(name)), decode: decodeName },
    { name: 'MemTable dump', weight: 2, seeds: [dump()], decode: decodeDump, fixedBytes: 512 * 1024 },
    { name: 'MemTable memory', weight: 2, seeds: [memoryHeader()], decode: attach, fixedBytes: 64 * 1024 },
    { name: 'LSMEntry', weight: 8, seeds: messages(), decode: decodeMessage },
    {
      name: 'backup',
      weight: 4,
      seeds: [backup(shapes[0])],
      repair: repairBackup,
      decode: decodeBackup,
      fixedBytes: 2 ** 20,
    },
    { name: 'template', weight: 2, seeds: [utf8.encode('{country}/{loc.0}-{{x}}')], decode: decodeTemplate },
    {
      name: 'entry text',
      weight: 2,
      seeds: ['{"base64":"AAH/"}', '0x00ff', '"text"'].map((text) => utf8.encode(text)),
      decode: decodeText,
    },
  ]
}

function decodeName(input: Bytes): boolean {
  const name = latin1(input)
  const parsed = parseFileName(name)
  if (isUsualName(name) && (parsed === undefined || /[/\\]|\.\./.test(name)))
    throw new EndlessError('a name that is none')
  return parsed !== undefined
}

function dump(): Bytes {
  const table = MemTable.create({ capacityBytes: 64 * 1024 })
  for (let i = 0; i < 20; i++) table.put(utf8.encode(`key/${i}`), utf8.encode('v'.repeat(i)))
  table.delete(utf8.encode('key/3'))
  return table.encode()
}

function decodeDump(input: Bytes): boolean {
  return MemTable.decode(input, { capacityBytes: 64 * 1024 }).length >= 0
}

const ARENA_BYTES = 4096

/** What is in the memory of a MemTable's beginning; the rest of it is its own, and not checked entry by entry. */
function memoryHeader(): Bytes {
  const table = MemTable.create({ capacityBytes: ARENA_BYTES })
  table.freeze()
  return new Uint8Array(table.share().buffer, 0, 32).slice()
}

function attach(input: Bytes): boolean {
  const table = MemTable.create({ capacityBytes: ARENA_BYTES })
  const token = table.share()
  new Uint8Array(token.buffer).set(input.subarray(0, 32))
  return MemTable.attach(token).isFrozen
}

function messages(): Bytes[] {
  return [
    encodeLsmEntry({ key: 'key', command: 'put', value: utf8.encode('value'), timestamp: 1_700_000_000_000_000_000n }),
    encodeLsmEntry({ key: '', command: 'delete', timestamp: -1n }),
    // An unknown group, and unknown fields of the other wire types.
    Uint8Array.of(0x2b, 0x30, 1, 0x2c, 0x35, 1, 2, 3, 4, 0x39, 1, 2, 3, 4, 5, 6, 7, 8, 0x42, 1, 9),
  ]
}

function decodeMessage(input: Bytes): boolean {
  encodeLsmEntry(decodeLsmEntry(input))
  return true
}

/** Files as a database has them, short ones. */
function backup({ files }: Shape): Bytes {
  const encoder = new BackupEncoder()
  const chunks: Bytes[] = [encoder.start()]
  const sorted = [...files].filter(([name]) => name !== 'CURRENT').sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, bytes] of sorted) {
    chunks.push(encoder.file(name, 60))
    for (const from of [0, 30]) {
      chunks.push(encoder.data(30, (record, offset) => record.set(bytes.subarray(from, from + 30), offset)))
    }
  }
  chunks.push(encoder.end())
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))
}

const MAGIC_BYTES = 8
const RECORD_BYTES = 9

/** Walk the records by the lengths that they have now. */
function repairBackup(input: Bytes): void {
  if (input.length < MAGIC_BYTES) return
  let crc = crc32c(input, 0, MAGIC_BYTES)
  for (let at = MAGIC_BYTES; at + RECORD_BYTES <= input.length; ) {
    const length = new DataView(input.buffer, input.byteOffset + at + 1).getUint32(0, true)
    if (at + RECORD_BYTES + length > input.length) return
    crc = crc32c(input, at + RECORD_BYTES, length, crc32c(input, at, 5, crc))
    putFixed32(input, at + 5, maskCrc(crc))
    at += RECORD_BYTES + length
  }
}

function decodeBackup(input: Bytes): boolean {
  let bytes = 0
  const decoder = new BackupDecoder({
    beginFile: (name) => {
      if (!isUsualName(name)) throw new EndlessError(`a file ${name}`)
    },
    fileData: (_, __, length) => {
      bytes += length
      if (bytes > input.length) throw new EndlessError(`${bytes} bytes of files`)
    },
    endFile: () => {},
  })
  // In two chunks, cut somewhere.
  const cut = input.length === 0 ? 0 : input[input.length >> 1] % input.length
  decoder.push(input.subarray(0, cut))
  decoder.push(input.subarray(cut))
  decoder.finish()
  return true
}

const RECORD = { country: 'is', loc: [1, 2], a: { __proto__: null } }

function decodeTemplate(input: Bytes): boolean {
  try {
    new Template(latin1(input)).render(RECORD)
    return true
  } catch (error) {
    if (error instanceof UsageError || /^there is no field/.test((error as Error).message)) return false
    throw error
  }
}

function decodeText(input: Bytes): boolean {
  bytesToJson(input)
  const text = latin1(input)
  try {
    parseText(text, true)
    return bytesFromJson(JSON.parse(text)) !== undefined
  } catch (error) {
    if (error instanceof UsageError || error instanceof SyntaxError) return false
    throw error
  }
}
