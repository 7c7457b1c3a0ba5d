/**
 * Fingerprint: 64 bits of everything that a file system in memory holds, durable or not: names, bytes, and which of them may be
 * lost. What is done with two trees of one fingerprint, by something that does the same each time, ends the same.
 */
import { crc32c } from '../../src/base/crc32c.ts'
import { hash32 } from '../../src/base/hash.ts'
import type { MemoryFile } from '../../src/env/memory-file.ts'
import type { MemoryNode, MemoryTree, Names } from '../../src/env/memory-tree.ts'

export function fingerprint(tree: MemoryTree): string {
  const known = new Map<MemoryFile, string>()
  const live = ofNames(tree.live, known)
  const durable = tree.pending.length === 0 ? '' : ofNames(tree.durable, known)
  const changes = tree.pending.map(({ type, path }) => `${type} ${path}`).join('\n')
  const text = Buffer.from([live, durable, changes].join('\n\n'))
  return hashed(text)
}

function ofNames(names: Names, known: Map<MemoryFile, string>): string {
  const lines = Array.from(names, ([path, node]) => `${path} ${ofNode(node, known)}`)
  return lines.sort().join('\n')
}

function ofNode(node: MemoryNode, known: Map<MemoryFile, string>): string {
  if (node === 'directory') return node
  const before = known.get(node)
  if (before !== undefined) return before
  const ranges = node.unsynced.map(({ start, limit, lost }) => `${start}-${limit}${lost ? ' lost' : ''}`)
  const said = [hashed(node.appended()), node.length, node.reserved, node.durablyReserved, ...ranges].join(' ')
  known.set(node, said)
  return said
}

function hashed(bytes: Uint8Array): string {
  return `${hash32(bytes, 0, bytes.length, 0).toString(16)}.${crc32c(bytes, 0, bytes.length).toString(16)}`
}
