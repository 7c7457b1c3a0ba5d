/**
 * Memory pictures: the arena of a real MemTable, the versions of a key, and the maps of range tombstones.
 */
import { HEADER_BYTES } from '../../src/memtable/arena-layout.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { Drawing, FILL } from './drawing.ts'
import { allOf, arenaOf, treeOf, type Version } from './structure.ts'

const LINK_BYTES = 12
/** Not a colour: what nothing fills. */
const FREE = ''

interface Piece {
  readonly begin: number
  readonly fill: string
  readonly lines: readonly string[]
}

/** Everything that four writes put into an arena, at its real offset. */
export function arenaPicture(): string {
  const table = MemTable.create({ capacityBytes: 1024, representation: 'radix' })
  table.put('pear', 'green')
  table.put('plum', 'blue')
  table.put('pear', 'yellow')
  const nodes = allOf(treeOf(table))
  const pieces: Piece[] = nodes.flatMap((node): Piece[] => {
    if (node.kind !== '') return [{ begin: node.offset, fill: FILL.node, lines: [node.kind, `depth ${node.depth}`] }]
    const first = node.versions[node.versions.length - 1]
    return [
      { begin: node.offset, fill: FILL.leaf, lines: [`leaf "${node.key}"`, ...showVersion(first)] },
      ...node.versions.slice(0, -1).map((version) => ({
        begin: version.offset - LINK_BYTES,
        fill: FILL.version,
        lines: ['version', ...showVersion(version)],
      })),
      ...(node.chain === 0
        ? []
        : [{ begin: node.chain, fill: FILL.version, lines: ['chain', `→ ${node.versions[0].offset}`] }]),
    ]
  })
  const { tail, end } = arenaOf(table)
  pieces.push({ begin: tail, fill: FREE, lines: ['free'] })
  pieces.sort((a, b) => a.begin - b.begin)
  return drawArena(pieces, tail, end)
}

function drawArena(pieces: readonly Piece[], tail: number, end: number): string {
  const drawing = new Drawing(
    880,
    190,
    'An arena: header, leaves, a version, a chain, free space behind the tail, and a node',
  )
  const width = 120
  drawing.text(16, 24, 'One arena, after put pear=green, put plum=blue, put pear=yellow', { isBold: true })
  drawing.box(16, 56, width, 72, ['header', 'state, tail,', 'counts, roots'], { fill: FILL.quiet })
  drawing.text(16, 148, '0', { isQuiet: true })
  pieces.forEach(({ begin, fill, lines }, i) => {
    const x = 16 + (i + 1) * width
    drawing.box(x, 56, width, 72, lines, fill === FREE ? { isDashed: true } : { fill })
    drawing.text(x, 148, begin === tail ? `${tail} = tail` : String(begin), { isQuiet: true })
  })
  drawing.text(
    16,
    174,
    `Offsets in bytes, of ${end}. Nothing moves; entries are added from below, and nodes, which lead to them, from above.`,
    {
      isQuiet: true,
    },
  )
  return drawing.toString()
}

function showVersion({ sequence, isTombstone, value }: Version): string[] {
  return [isTombstone ? `#${sequence} deleted` : `#${sequence} ${value}`]
}

/** Eight versions of one key: older versions one by one, and the jumps. */
export function chainPicture(): string {
  const table = MemTable.create({ capacityBytes: 4096, representation: 'radix' })
  for (let i = 1; i <= 8; i++) {
    if (i === 5) table.delete('pear')
    else table.put('pear', `v${i}`)
  }
  const { versions } = treeOf(table)
  const drawing = new Drawing(880, 210, 'Eight versions of a key on a chain, with jumps')
  const [width, step, y] = [72, 104, 70]
  drawing.text(16, 24, 'The versions of "pear", newest first', { isBold: true })
  versions.forEach((version, i) => {
    const x = 16 + i * step
    drawing.box(x, y, width, 44, [`#${version.sequence}`, version.isTombstone ? 'deleted' : version.value], {
      fill: version.isTombstone ? FILL.quiet : FILL.version,
    })
    if (version.older === 0) return
    drawing.arrow(x + width, y + 22, x + step - 2, y + 22)
    const to = versions.findIndex(({ offset }) => offset === version.jump)
    if (to > i + 1) drawing.arc(x + width / 2, y + 44, 16 + to * step + width / 2, y + 46, 36 + (to - i) * 12)
  })
  drawing.text(
    16,
    198,
    'Straight: the next older one. Dashed: jumps, so that an old snapshot finds its version in O(log n) steps.',
    {
      isQuiet: true,
    },
  )
  return drawing.toString()
}

/** Three range tombstones, and the map of each moment. */
export function rangesPicture(): string {
  const table = MemTable.create({ capacityBytes: 16 * 1024, representation: 'radix' })
  const ranges = [
    ['b', 'h'],
    ['e', 'k'],
    ['c', 'f'],
  ] as const
  const drawing = new Drawing(700, 250, 'Three range tombstones and the map of keys that each of them painted')
  const [left, letter] = [150, 44]
  const xOf = (key: string): number => left + (key.charCodeAt(0) - 'a'.charCodeAt(0)) * letter
  drawing.text(16, 24, 'Every range tombstone paints a new map; the old ones stay', { isBold: true })
  for (const key of 'abcdefghijkl') drawing.text(xOf(key), 54, key, { anchor: 'middle', isQuiet: true })
  ranges.forEach(([start, end], i) => {
    const sequence = table.deleteRange(start, end)
    const y = 66 + i * 52
    drawing.text(16, y + 23, `#${sequence} [${start}, ${end})`)
    drawing.line(xOf('a'), y + 18, xOf('l'), y + 18)
    for (const range of table.rangeTombstones(sequence)) {
      const [from, to] = [range.start, range.end].map((bytes) => xOf(new TextDecoder().decode(bytes)))
      const isNew = range.sequence === sequence
      drawing.box(from, y, to - from, 36, [`#${range.sequence}`], { fill: isNew ? FILL.fresh : FILL.range })
    }
  })
  drawing.text(
    16,
    236,
    `${arenaOf(table).watermark() - HEADER_BYTES} bytes in all: the maps share what they have in common.`,
    {
      isQuiet: true,
    },
  )
  return drawing.toString()
}
