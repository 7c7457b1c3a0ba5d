/**
 * `varve memtable`: one MemTable as a file, its dump (conformance/README.md). The same commands exist in other languages,
 * and write the same bytes.
 */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { addHelpCommand } from './help-command.ts'
import { parseText } from './key-text.ts'
import { MemTableFile } from './memtable-file.ts'
import { runScript } from './memtable-script.ts'
import { parseCount } from './option-values.ts'
import type { Output } from './output.ts'

export function addMemTableCommand(program: Command, output: Output): void {
  const memtable = program
    .command('memtable')
    .summary('make, change and read the dump of a MemTable')
    .description('Make, change and read the dump of a MemTable: one file, the same bytes in every language.')
  addWriters(memtable)
  addReaders(memtable, output)
  addHelpCommand(memtable)
}

function addWriters(memtable: Command): void {
  memtable
    .command('new')
    .description('Write an empty table.')
    .argument('<path>')
    .action((path) => new MemTableFile().save(path))
  memtable
    .command('put')
    .description('Set a key to a value.')
    .argument('<path>')
    .argument('<key>')
    .argument('<value>')
    .action((path, key, value, _, command) => {
      const [keyBytes, valueBytes] = parseWords([key, value], command)
      change(path, (table) => table.put(keyBytes, valueBytes))
    })
  memtable
    .command('del')
    .description('Delete a key: the table keeps a tombstone, whether or not the key was there.')
    .argument('<path>')
    .argument('<key>')
    .action((path, key, _, command) => {
      const [keyBytes] = parseWords([key], command)
      change(path, (table) => table.delete(keyBytes))
    })
  memtable
    .command('bulk')
    .description('Set key0 … key{n−1} to val0 … val{n−1}. Makes the table if there is none.')
    .argument('<path>')
    .argument('<n>', 'how many', parseCount)
    .action(bulk)
}

function addReaders(memtable: Command, output: Output): void {
  memtable
    .command('get')
    .description('Print what the table knows of a key: `value: <hex>`, `tombstone` or `absent`.')
    .argument('<path>')
    .argument('<key>')
    .action(async (path, key, _, command) => {
      const [keyBytes] = parseWords([key], command)
      await output.write(`${MemTableFile.read(path).describe(keyBytes)}\n`)
    })
  memtable
    .command('iter')
    .description('Print every entry in order, in hex: `V <key> <value>`, or `T <key>` for a tombstone.')
    .argument('<path>')
    .action(async (path) => {
      for (const line of MemTableFile.read(path).lines()) await output.write(line)
    })
  memtable
    .command('size')
    .description('Print the number of entries, tombstones included, and the size of the dump.')
    .argument('<path>')
    .action(async (path) => {
      await output.write(`${MemTableFile.read(path).size}\n`)
    })
  memtable
    .command('script')
    .description(
      'Run operations from stdin, one per line, on a table that is empty at first; `dump` appends it to the path.',
    )
    .argument('<path>', 'where dumps go')
    .action((path) => runScript(process.stdin, path, output))
}

/** Keys and values of the command line; before any file is read. */
function parseWords(words: readonly string[], command: Command): (string | Uint8Array)[] {
  const { hex = false } = command.optsWithGlobals<{ hex?: boolean }>()
  return words.map((word) => parseText(word, hex))
}

function change(path: string, write: (table: MemTableFile) => void): void {
  const table = MemTableFile.read(path)
  write(table)
  table.save(path)
}

function bulk(path: string, count: number): void {
  const table = existsSync(path) ? MemTableFile.read(path) : new MemTableFile()
  for (let i = 0; i < count; i++) table.put(`key${i}`, `val${i}`)
  table.save(path)
}
