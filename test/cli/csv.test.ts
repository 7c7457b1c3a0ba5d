/**
 * CSV as a stream, record by record: what arrives in pieces, and what is wrong with it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCsv } from '../../src/cli/csv.ts'
import type { RecordFault } from '../../src/cli/record-fault.ts'

async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Buffer> {
  for (const piece of all) yield Buffer.from(piece)
}

/** The records of an input, as JSON. */
async function recordsOf(source: AsyncIterable<Buffer>, onFault: (fault: RecordFault) => void): Promise<string[]> {
  const found: string[] = []
  for await (const { json } of readCsv(source, ',', onFault)) found.push(json)
  return found
}

test('a character that is cut by a chunk is one, wherever the cut is', async () => {
  const text = Buffer.from('k,v\né,€\n😀,"ü"\n')
  for (let cut = 0; cut <= text.length; cut++) {
    const source = pieces(text.subarray(0, cut), text.subarray(cut))
    assert.deepEqual(await recordsOf(source, assert.fail), ['{"k":"é","v":"€"}', '{"k":"😀","v":"ü"}'])
  }
})

test('an input that ends inside a character is not UTF-8', async () => {
  const text = Buffer.from('k\n1\n€')
  for (const missing of [1, 2]) {
    const source = pieces(text.subarray(0, text.length - missing))
    await assert.rejects(recordsOf(source, assert.fail), /the input is not UTF-8/)
  }
})

test('an error of the source ends the records, as it is', async () => {
  async function* failing(): AsyncGenerator<Buffer> {
    yield Buffer.from('k\n1\n')
    throw new RangeError('the disk is gone')
  }
  await assert.rejects(recordsOf(failing(), assert.fail), { name: 'RangeError', message: 'the disk is gone' })
})

test('whoever has read enough lets go of the source', async () => {
  let isLetGo = false
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      yield Buffer.from('k\n')
      for (;;) yield Buffer.from('1\n'.repeat(1000))
    } finally {
      isLetGo = true
    }
  }
  for await (const { line } of readCsv(endless(), ',', assert.fail)) if (line > 100) break
  for (let turns = 0; turns < 1000 && !isLetGo; turns++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(isLetGo)
})

/** Inputs, the keys of their records, and of each fault the line, the lines that it takes, and whether its record begins before. */
const FAULTS: readonly (readonly [input: string, keys: string, faults: readonly string[]])[] = [
  ['k,v\n1,a\n2,b,c\n3,d\n', '1 3', ['3: 1']],
  ['k,v\n\n\n1,b,c\n\n2,d\n', '2', ['4: 1']],
  ['k,v\n1,x"y\n\n\n2,x"y\n3,d\n', '3', ['2: 1', '5: 1']],
  ['k,v\n\n1,a\n\n2,"b\n3",c\n4,d\n', '1 4', ['6, from 5: 2']],
  ['k,v\n1,a\n\n2,"b\n3,c\n4,d\n5,"e"\n6,f\n7,g,h\n8,i\n', '1 6 8', ['7, from 4: 4', '9: 1']],
]

for (const [input, keys, faults] of FAULTS) {
  test(`faults are told in their places, by their lines: ${JSON.stringify(input)}`, async () => {
    const told: string[] = []
    const records = await recordsOf(pieces(Buffer.from(input)), ({ message, line, lineCount }) => {
      const from = /its record begins at line (\d+)/.exec(message)?.[1]
      told.push(`${line}${from === undefined ? '' : `, from ${from}`}: ${lineCount}`)
    })
    assert.deepEqual([records.map((json) => JSON.parse(json).k).join(' '), told], [keys, faults])
  })
}
