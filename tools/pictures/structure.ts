/**
 * Structure: what is in the arena of a real MemTable, read as its own code reads it, to be drawn.
 */
import type { Bytes } from '../../src/base/types.ts'
import { Arena } from '../../src/memtable/arena.ts'
import type { MemTable } from '../../src/memtable/memtable.ts'
import { NO_LIMIT } from '../../src/memtable/memtable-rep.ts'
import { leafKeyLength, leafKeyOffset, leafOf, versionsOf } from '../../src/memtable/radix-leaf.ts'
import { CHAIN, LINKS_MAX, listLinks, nodeDepth, TAG_MASK } from '../../src/memtable/radix-node.ts'
import { ROOT_LINK } from '../../src/memtable/radix-tree.ts'
import {
  jumpOf,
  olderVersion,
  VERSION_BYTES,
  versionTagLow,
  versionValueLength,
} from '../../src/memtable/version-record.ts'

/** What a node branches by where a key ends. */
export const END = 'end'

export interface TreeNode {
  readonly offset: number
  /** '' for a leaf. */
  readonly kind: '' | 'NODE_4' | 'NODE_10' | 'NODE_16' | 'FAN'
  readonly depth: number
  /** Any key below it; a leaf's own. */
  readonly key: string
  readonly branches: readonly { readonly symbol: string; readonly child: TreeNode }[]
  readonly versions: readonly Version[]
  /** Offset of what leads to the newest of several versions; 0 for a node, and for one version. */
  readonly chain: number
}

export interface Version {
  readonly offset: number
  readonly sequence: number
  readonly isTombstone: boolean
  readonly value: string
  readonly older: number
  readonly jump: number
}

const KINDS = ['NODE_4', 'NODE_10', 'NODE_16', 'FAN'] as const

export function arenaOf(table: MemTable): Arena {
  return Arena.attach(table.share().buffer)
}

export function treeOf(table: MemTable): TreeNode {
  table.publish()
  const arena = arenaOf(table)
  return nodeAt(arena, arena.words[ROOT_LINK])
}

/** All nodes and leaves, parents first. */
export function allOf(tree: TreeNode): TreeNode[] {
  return [tree, ...tree.branches.flatMap(({ child }) => allOf(child))]
}

function nodeAt(arena: Arena, target: number): TreeNode {
  const { words } = arena
  if ((target & TAG_MASK) !== 0) return leafAt(arena, target)
  const depth = nodeDepth(words, target)
  const kind = KINDS[words[target >> 2] & TAG_MASK]
  const links = new Int32Array(LINKS_MAX)
  const count = listLinks(words, target, NO_LIMIT, links, 0)
  const branches = Array.from(links.subarray(0, count), (link) => {
    const child = nodeAt(arena, words[link])
    const symbol = child.key.length === depth ? END : child.key[depth]
    return { symbol: kind === 'FAN' ? `${symbol.charCodeAt(0).toString(16)[0]}_` : symbol, child }
  })
  return { offset: target, kind, depth, key: branches[0].child.key, branches, versions: [], chain: 0 }
}

function leafAt(arena: Arena, target: number): TreeNode {
  const { words, bytes } = arena
  const leaf = leafOf(words, target)
  const key = textAt(bytes, leafKeyOffset(leaf), leafKeyLength(words, leaf))
  const versions: Version[] = []
  for (let at = versionsOf(words, target, NO_LIMIT); at !== 0; at = olderVersion(words, at)) {
    versions.push(versionAt(arena, at))
  }
  const chain = (target & TAG_MASK) === CHAIN ? target - CHAIN : 0
  return { offset: leaf, kind: '', depth: key.length, key, branches: [], versions, chain }
}

function versionAt({ words, bytes }: Arena, offset: number): Version {
  const low = versionTagLow(words, offset)
  const length = versionValueLength(words, offset)
  return {
    offset,
    sequence: low >>> 8,
    isTombstone: (low & 0xff) === 0,
    value: textAt(bytes, offset + VERSION_BYTES, length),
    older: olderVersion(words, offset),
    jump: jumpOf(words, offset),
  }
}

function textAt(bytes: Bytes, offset: number, length: number): string {
  return new TextDecoder().decode(bytes.slice(offset, offset + length))
}
