/**
 * `varve memtable script`: many operations on one MemTable in one process, for tests that would otherwise start a process
 * for each. conformance/README.md has the operations and what they print; they are the same in every language.
 *
 * Format   one operation a line, its words separated by one space; keys, values and dumps in lowercase hex, `-` for the empty one
 *          lines end with LF alone; a comment is bytes of any kind
 */
import { closeSync, openSync } from 'node:fs'
import { CorruptionError, MemTable } from '../public/memtable.ts'
import { UsageError } from './exit.ts'
import { splitLines } from './lines.ts'
import { MemTableFile } from './memtable-file.ts'
import type { Output } from './output.ts'

const HASH = 0x23

/** Run the operations of `input`; dumps are appended to a new file at `path`, everything else is printed. */
export async function runScript(input: NodeJS.ReadableStream, path: string, output: Output): Promise<void> {
  const dumps = openSync(path, 'w')
  try {
    const script = new Script(dumps, output)
    let number = 0
    for await (const line of splitLines(input as AsyncIterable<Buffer>)) {
      number++
      await script.run(line, number)
    }
  } finally {
    closeSync(dumps)
  }
}

class Script {
  readonly #dumps: number
  readonly #output: Output
  #table = new MemTableFile()

  constructor(dumps: number, output: Output) {
    this.#dumps = dumps
    this.#output = output
  }

  async run(line: Buffer, number: number): Promise<void> {
    if (line[0] === HASH) {
      await this.#output.write(line)
      await this.#output.write('\n')
    } else if (line.length > 0) {
      for (const answer of this.#answer(line.toString('latin1').split(' '), number)) await this.#output.write(answer)
    }
  }

  *#answer([name, ...words]: readonly string[], number: number): Generator<string> {
    const [first, second] = words.map((word) => fromHex(word, number))
    switch (`${name}/${words.length}`) {
      case 'new/0':
        this.#table = new MemTableFile()
        return
      case 'put/2':
        return this.#table.put(first, second)
      case 'del/1':
        return this.#table.delete(first)
      case 'get/1':
        return yield `${this.#table.describe(first)}\n`
      case 'iter/0':
        return yield* this.#table.lines()
      case 'size/0':
        return yield `${this.#table.size}\n`
      case 'dump/0':
        return yield `dump ${this.#table.append(this.#dumps)}\n`
      case 'load/1':
        return yield `${this.#load(first)}\n`
      default:
        throw new UsageError(`line ${number}: '${name}' with ${words.length} arguments is no operation`)
    }
  }

  #load(dump: Uint8Array): string {
    try {
      this.#table = new MemTableFile(MemTable.decode(dump))
      return `loaded ${this.#table.length}`
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      return `refused: ${error.message}`
    }
  }
}

/** @throws UsageError unless the word is as the other programs take it */
function fromHex(word: string, number: number): Uint8Array {
  if (word === '-') return new Uint8Array(0)
  if (!/^(?:[0-9a-f]{2})*$/.test(word)) throw new UsageError(`line ${number}: '${word}' is not hex`)
  return Buffer.from(word, 'hex')
}
