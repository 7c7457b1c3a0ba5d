/**
 * The lines of a stream, as bytes: they end with LF, the last one perhaps with nothing. Memory holds one line and one chunk.
 *
 * Not node:readline, which also breaks lines at CR and U+2028, and turns bad UTF-8 into U+FFFD without a word.
 */
import { constants } from 'node:buffer'
import { RecordFault } from './record-fault.ts'

/** A longer line fits into no string: export cannot make one either. */
const MAX_LINE_BYTES: number = constants.MAX_STRING_LENGTH
const LF = 0x0a

/** Without their line feeds. @throws RecordFault for a line beyond reason; errors of the source */
export async function* splitLines(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let line = 1
  for await (const chunk of source) {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      yield pendingBytes === 0 ? chunk.subarray(start, end) : Buffer.concat([...pending, chunk.subarray(start, end)])
      line++
      pending = []
      pendingBytes = 0
      start = end + 1
    }
    pending.push(chunk.subarray(start))
    pendingBytes += chunk.length - start
    if (pendingBytes > MAX_LINE_BYTES) throw new RecordFault(line, `longer than ${MAX_LINE_BYTES} bytes`)
  }
  if (pendingBytes > 0) yield Buffer.concat(pending)
}
