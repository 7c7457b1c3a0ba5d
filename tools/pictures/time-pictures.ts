/**
 * Time pictures: who does what when: publication between threads, and the life of a MemTable.
 */
import { Drawing, FILL } from './drawing.ts'

export function publicationPicture(): string {
  const drawing = new Drawing(860, 270, 'A writer stores links and then the tail; readers load the tail first')
  const writer: readonly (readonly [string, string, string])[] = [
    ['fill', 'leaf, node', FILL.plain],
    ['store link', 'Atomics.store', FILL.node],
    ['… more', 'of the batch', FILL.plain],
    ['store tail', 'Atomics.store', FILL.found],
  ]
  drawing.text(16, 24, 'One writer, any readers, no locks', { isBold: true })
  drawing.text(16, 76, 'writer')
  writer.forEach(([what, how, fill], i) => {
    drawing.box(110 + i * 130, 50, 110, 44, [what, how], { fill })
    if (i > 0) drawing.arrow(90 + i * 130, 72, 108 + i * 130, 72)
  })
  drawing.text(16, 176, 'reader 1')
  drawing.box(240, 150, 110, 44, ['load tail', '= limit'], { fill: FILL.quiet })
  drawing.box(370, 150, 110, 44, ['walk down', 'passes new'], { fill: FILL.node })
  drawing.box(500, 150, 170, 44, ['offset ≥ limit:', 'not shown'], { fill: FILL.quiet })
  drawing.arrow(350, 172, 368, 172)
  drawing.arrow(480, 172, 498, 172)
  drawing.arrow(300, 94, 410, 148, true)
  drawing.text(16, 236, 'reader 2')
  drawing.box(640, 210, 90, 44, ['load tail', '= limit'], { fill: FILL.found })
  drawing.box(750, 210, 94, 44, ['sees all', 'of the batch'], { fill: FILL.leaf })
  drawing.arrow(730, 232, 748, 232)
  drawing.arrow(600, 94, 684, 208, true)
  return drawing.toString()
}

export function lifePicture(): string {
  const drawing = new Drawing(860, 200, 'A MemTable is active, then frozen, then a table, then gone')
  const stages: readonly (readonly [string, string, string, string])[] = [
    ['active', 'one thread writes,', 'any thread reads', FILL.found],
    ['frozen', 'nobody writes,', 'workers read in place', FILL.node],
    ['table', 'a file in key order,', 'written by a worker', FILL.leaf],
    ['gone', 'when its last', 'reader lets go', FILL.quiet],
  ]
  const moves = ['full', 'flush', 'installed']
  stages.forEach(([name, first, second, fill], i) => {
    const x = 16 + i * 216
    drawing.box(x, 50, 176, 70, [name, first, second], { fill, isBold: i === 0 })
    if (i === 0) return
    drawing.arrow(x - 40, 85, x - 2, 85)
    drawing.text(x - 20, 44, moves[i - 1], { anchor: 'middle', isQuiet: true })
  })
  drawing.text(16, 24, 'The life of a MemTable', { isBold: true })
  drawing.text(
    16,
    156,
    'At “full” a new active one takes its place at once, with a new log. The old log goes once the table is installed.',
    {
      isQuiet: true,
    },
  )
  drawing.text(
    16,
    178,
    'A get asks: active, frozen ones from the newest, then tables. The first that knows the key answers.',
    {
      isQuiet: true,
    },
  )
  return drawing.toString()
}
