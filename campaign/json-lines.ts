/**
 * What a process tells, a line of JSON each. A line that it had no time to end is none.
 */
import type { Readable } from 'node:stream'

export function eachJsonLine<T>(stream: Readable, take: (told: T) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line))
  })
}
