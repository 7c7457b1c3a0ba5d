/**
 * Lines of a stream.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitLines } from '../../src/cli/lines.ts'

/** So many pieces of one MiB, without a line feed; then the rest. */
async function* long(pieces: number, rest: string): AsyncGenerator<Buffer> {
  const piece = Buffer.alloc(2 ** 20, 'x')
  for (let i = 0; i < pieces; i++) yield piece
  yield Buffer.from(rest)
}

async function lengths(source: AsyncIterable<Buffer>): Promise<number[]> {
  const found: number[] = []
  for await (const line of splitLines(source)) found.push(line.length)
  return found
}

test('a line may be as long as the longest that export writes', async () => {
  assert.deepEqual(await lengths(long(300, '\nx\n\n')), [300 * 2 ** 20, 1, 0])
})

test('a line that fits into no string is refused before it has arrived', async () => {
  await assert.rejects(lengths(long(10_000, '\n')), /^Error: line 1: longer than \d+ bytes$/)
})
