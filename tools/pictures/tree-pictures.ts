/**
 * Tree pictures: the radix tree of a real MemTable, a lookup in it, and an insert that forks.
 */
import { MemTable } from '../../src/memtable/memtable.ts'
import { Drawing, FILL } from './drawing.ts'
import { allOf, END, type TreeNode, treeOf } from './structure.ts'

/** Their first bytes, depths and branches: something of everything. */
const FRUITS = ['apple', 'apricot', 'april', 'band', 'banana', 'bandana', 'cherry']
const LEVEL = 168
const ROW = 38
const NODE_WIDTH = 112
const LEAF_WIDTH = 92
const BOX_HEIGHT = 30

interface Place {
  readonly x: number
  readonly y: number
}

interface Look {
  /** Offsets of nodes and leaves that stand out, and how. */
  readonly marked: ReadonlySet<number>
  readonly fill: string
}

const PLAIN: Look = { marked: new Set(), fill: FILL.found }

function tableOf(keys: readonly string[]): MemTable {
  const table = MemTable.create({ capacityBytes: 64 * 1024, representation: 'radix' })
  for (const key of keys) table.put(key, `${key.length} letters`)
  return table
}

export function radixPicture(): string {
  const drawing = new Drawing(700, 330, 'A radix tree of seven keys')
  drawing.text(16, 24, 'A node branches by one byte: the one at its depth. Leaves hold whole keys.', { isBold: true })
  drawTree(drawing, treeOf(tableOf(FRUITS)), 16, 44, PLAIN)
  drawing.text(16, 318, 'end: the key ends there, and comes before those that go on', { isQuiet: true })
  return drawing.toString()
}

/** The way of a get: what it looks at, step by step. */
export function lookupPicture(): string {
  const drawing = new Drawing(860, 330, 'The way of a lookup through the radix tree')
  const key = 'bandana'
  const tree = treeOf(tableOf(FRUITS))
  const path = pathTo(tree, key)
  drawing.text(16, 24, `get("${key}")`, { isBold: true })
  drawTree(drawing, tree, 16, 44, { marked: new Set(path.map(({ offset }) => offset)), fill: FILL.found })
  path.forEach((node, i) => {
    const step =
      node.kind === ''
        ? 'compare the whole key, once'
        : `byte ${node.depth} is ${key.length === node.depth ? END : `"${key[node.depth]}"`}`
    drawing.text(640, 64 + i * 24, `${i + 1}. ${step}`)
  })
  drawing.text(640, 64 + path.length * 24, `${path.length + 1}. its newest version`)
  return drawing.toString()
}

/** The same tree before and after a key that shares less than a node's depth. */
export function forkPicture(): string {
  const before = ['banana', 'bandana', 'cherry']
  const added = 'basil'
  const table = tableOf(before)
  const old = treeOf(table)
  table.put(added, `${added.length} letters`)
  const grown = treeOf(table)
  const known = new Set(allOf(old).map(({ offset }) => offset))
  const fresh = new Set(
    allOf(grown)
      .map(({ offset }) => offset)
      .filter((offset) => !known.has(offset)),
  )
  const drawing = new Drawing(980, 220, 'A radix tree before and after an insert that forks')
  drawing.text(16, 24, 'before', { isBold: true })
  drawTree(drawing, old, 16, 44, PLAIN, 140)
  drawing.text(450, 24, `after put("${added}")`, { isBold: true })
  drawTree(drawing, grown, 450, 44, { marked: fresh, fill: FILL.fresh }, 140)
  drawing.text(16, 206, 'New: a leaf and a fork of two branches. One link changes, and its store publishes both.', {
    isQuiet: true,
  })
  return drawing.toString()
}

/** The nodes from the root to the leaf of a key that is there. */
function pathTo(tree: TreeNode, key: string): TreeNode[] {
  const branch = tree.branches.find(({ child }) => allOf(child).some((node) => node.kind === '' && node.key === key))
  return branch === undefined ? [tree] : [tree, ...pathTo(branch.child, key)]
}

/** Draw a tree from left to right. @returns the first row below it */
function drawTree(drawing: Drawing, tree: TreeNode, x: number, y: number, look: Look, level: number = LEVEL): number {
  let nextRow = y
  const draw = (node: TreeNode, at: number): Place => {
    const isMarked = look.marked.has(node.offset)
    const style = { isBold: isMarked, ...(isMarked ? { fill: look.fill } : {}) }
    if (node.kind === '') {
      const place = { x: at, y: nextRow }
      nextRow += ROW
      drawing.box(place.x, place.y, LEAF_WIDTH, BOX_HEIGHT, [node.key], { fill: FILL.leaf, ...style })
      return place
    }
    const children = node.branches.map(({ child }) => draw(child, at + level))
    const place = { x: at, y: (children[0].y + children[children.length - 1].y) / 2 }
    children.forEach((child, i) => {
      const isBold = isMarked && look.marked.has(node.branches[i].child.offset)
      const from = { x: place.x + NODE_WIDTH, y: place.y + BOX_HEIGHT / 2 }
      drawing.line(from.x, from.y, child.x, child.y + BOX_HEIGHT / 2, isBold)
      const end = child.y + BOX_HEIGHT / 2
      drawing.label(from.x + (child.x - from.x) * 0.62, from.y + (end - from.y) * 0.62, node.branches[i].symbol)
    })
    drawing.box(place.x, place.y, NODE_WIDTH, BOX_HEIGHT, [`${node.kind} at ${node.depth}`], {
      fill: FILL.node,
      ...style,
    })
    return place
  }
  draw(tree, x)
  return nextRow
}
