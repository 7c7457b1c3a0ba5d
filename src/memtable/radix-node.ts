/**
 * RadixNode: the inner nodes of a radix tree. A node stands for the first bytes that all keys below it share, `depth` of
 * them, and branches by the byte that comes next. It does not hold the shared bytes: leaves hold whole keys.
 *
 * Format   node := terminal link, if it has one | depth << 3 | has terminal << 2 | kind, u32 | bytes | links
 *                      bytes         links   size
 *          NODE_4      4             4       24     byte i leads to link i; in the order in which they were added;
 *          NODE_10     10, padded    10      56     an unused byte repeats the first one, and its link is 0
 *          NODE_16     16            16      84
 *          FAN         none          16      68     by the upper half of the byte; 0 where there is none
 *          Bytes are packed into words, the lowest bits first. A node's offset is that of its header; the terminal link, a
 *          word below it, leads to the key that ends at `depth`.
 *          link := 0 | offset of a node | offset + LEAF | offset + CHAIN (radix-tree.ts), with the tag in the low 2 bits.
 *          More than 16 bytes take a FAN. Below it, keys that share the upper half of the byte share a node of the same
 *          depth, of 16 links at most; a single one follows at once. So a node never has to copy more than 16 links.
 *          Nodes lie above the arena's ceiling. One that was replaced is given back, which on a shared arena does nothing.
 * Invariants  (1) header and kind of a node never change; it gains bytes and links, in order, and a link changes to
 *                 younger targets only. A node that is full, or gains a terminal, is replaced by a larger copy and never changes again
 *             (2) a node of bytes has a first byte, and its links are used without gaps
 *             (3) a link of 0 is what a reader sees of a branch whose byte, or rest, it does not see yet: the byte is
 *                 stored before the link, and an unused byte finds the first link, which is its own
 * Threads     bytes and links by the publication rule (memtable-rep.ts): the link is the store that publishes, so it is
 *             loaded before its byte
 * Source      V. Leis, A. Kemper, T. Neumann, The adaptive radix tree (2013), for nodes that grow; D. R. Morrison, PATRICIA
 *             (1968), for depths in place of prefixes
 */
import type { Arena } from './arena.ts'

type Words = Int32Array<ArrayBufferLike>

/** Tags of links: a key with one version, and one with several. Nodes have none. */
export const LEAF = 1
export const CHAIN = 2
export const TAG_MASK = 3

/** What a node branches by: a byte, or this at the end of the key. Sorts before the bytes, as a prefix does. */
export const TERMINAL = -1
const AFTER_ALL = 256

const NODE_4 = 0
const NODE_10 = 1
const NODE_16 = 2
const FAN = 3
const KIND_MASK = 3
const HAS_TERMINAL = 4
const DEPTH_SHIFT = 3

/** Scratch for sorting a list by bytes: where the link of a byte is, and a bit for each byte that has one. */
const LINK_OF_BYTE = new Int32Array(256)
const MARKS = new Int32Array(8)

const FAN_LINKS = 16
/** Links of a node at most: those of a FAN or a NODE_16, and a terminal. */
export const LINKS_MAX: number = FAN_LINKS + 1
const SIZE_4 = 24
const SIZE_FAN = 68
/**
 * Arena bytes that adding one link can take: at the most, a NODE_16 with a terminal becomes a FAN. Its 17 links are then in
 * groups by the upper half of their bytes, and a group of two or more takes a node: of 24 bytes from 2 links on, 56 from
 * 5, 84 from 11, which is at most 12 bytes a link. New and copied nodes of other kinds take less: 88 at most.
 */
export const GROWTH_BYTES_MAX: number = 4 + SIZE_FAN + ((FAN_LINKS + 1) * SIZE_4) / 2

/** Bytes that all keys below the node share. */
export function nodeDepth(words: Words, node: number): number {
  return words[node >> 2] >>> DEPTH_SHIFT
}

/** Up to where a branch of the node settles the bytes of the keys below it: a FAN settles half a byte, which is none. */
export function settledDepth(words: Words, node: number): number {
  const header = words[node >> 2]
  return (header >>> DEPTH_SHIFT) + ((header & KIND_MASK) === FAN ? 0 : 1)
}

/**
 * A link, as a reader with this limit follows it. Also to see whether there is one: of a branch that was met by a plain load
 * alone, the byte may not be there yet, and a second load may not meet it again.
 */
export function loadLink(words: Words, link: number, limit: number): number {
  const target = words[link]
  return target >= limit ? Atomics.load(words, link) : target
}

/** Word index of the node's link for a symbol: a byte, or TERMINAL. The link may be 0. @returns 0 if there is none */
export function findLink(words: Words, node: number, symbol: number): number {
  const at = node >> 2
  const header = words[at]
  if (symbol === TERMINAL) return (header & HAS_TERMINAL) === 0 ? 0 : at - 1
  const kind = header & KIND_MASK
  if (kind === FAN) return at + 1 + (symbol >> 4)
  const pattern = Math.imul(symbol, 0x01010101)
  let hits = zeroBytes(words[at + 1] ^ pattern)
  if (kind === NODE_4) return hits === 0 ? 0 : at + 2 + (lowestBit(hits) >> 3)
  // All words at once, a bit of each byte for each of them: no branch depends on where the symbol is.
  hits = (hits >>> 3) | (zeroBytes(words[at + 2] ^ pattern) >>> 2) | (zeroBytes(words[at + 3] ^ pattern) >>> 1)
  if (kind === NODE_16) hits |= zeroBytes(words[at + 4] ^ pattern)
  if (hits === 0) return 0
  const bit = lowestBit(hits)
  return at + 1 + keyWordsOf(kind) + (((bit & 7) - 4) << 2) + (bit >> 3)
}

/** The top bit of each byte that is zero; of the bytes above the lowest of them, some others may have it as well. */
function zeroBytes(word: number): number {
  return (word - 0x01010101) & ~word & 0x80808080
}

/** What one of the node's links leads to, whichever is at hand. */
export function someTarget(words: Words, node: number, limit: number): number {
  const at = node >> 2
  const kind = words[at] & KIND_MASK
  let link = at + 1 + keyWordsOf(kind)
  let target = loadLink(words, link, limit)
  while (target === 0) target = loadLink(words, ++link, limit)
  return target
}

/**
 * Put the word indexes of the node's links into out[at …], in key order.
 * @returns how many there are, LINKS_MAX at most
 */
export function listLinks(words: Words, node: number, limit: number, out: Int32Array, at: number): number {
  const header = words[node >> 2]
  const kind = header & KIND_MASK
  let start = at
  if ((header & HAS_TERMINAL) !== 0) out[start++] = (node >> 2) - 1
  if (kind === NODE_4) return start - at + listFour(words, node >> 2, limit, out, start)
  if (kind !== FAN) return start - at + listByBytes(words, node >> 2, kind, limit, out, start)
  let end = start
  const first = (node >> 2) + 1
  for (let link = first; link < first + FAN_LINKS; link++) if (loadLink(words, link, limit) !== 0) out[end++] = link
  return end - at
}

/**
 * The links of a NODE_4, which most nodes are: each goes where the number of those before it says, unused ones behind them, so
 * that no branch depends on bytes, whose outcome nothing foretells.
 */
function listFour(words: Words, node: number, limit: number, out: Int32Array, start: number): number {
  const first = node + 2
  const unused0 = (loadLink(words, first, limit) - 1) >> 31
  const unused1 = (loadLink(words, first + 1, limit) - 1) >> 31
  const unused2 = (loadLink(words, first + 2, limit) - 1) >> 31
  const unused3 = (loadLink(words, first + 3, limit) - 1) >> 31
  const bytes = words[node + 1]
  const byte0 = (bytes & 0xff) | (unused0 & AFTER_ALL)
  const byte1 = ((bytes >>> 8) & 0xff) | (unused1 & AFTER_ALL)
  const byte2 = ((bytes >>> 16) & 0xff) | (unused2 & AFTER_ALL)
  const byte3 = (bytes >>> 24) | (unused3 & AFTER_ALL)
  // 1 where the later one of a pair comes first.
  const swap01 = (byte1 - byte0) >>> 31
  const swap02 = (byte2 - byte0) >>> 31
  const swap03 = (byte3 - byte0) >>> 31
  const swap12 = (byte2 - byte1) >>> 31
  const swap13 = (byte3 - byte1) >>> 31
  const swap23 = (byte3 - byte2) >>> 31
  out[start + swap01 + swap02 + swap03] = first
  out[start + 1 - swap01 + swap12 + swap13] = first + 1
  out[start + 2 - swap02 - swap12 + swap23] = first + 2
  out[start + 3 - swap03 - swap13 - swap23] = first + 3
  return 4 + unused0 + unused1 + unused2 + unused3
}

/** As they were added, which is in order where keys come in order; else sorted. */
function listByBytes(words: Words, node: number, kind: number, limit: number, out: Int32Array, start: number): number {
  const links = node + 1 + keyWordsOf(kind)
  const capacity = capacityOf(kind)
  let count = 0
  let previous = TERMINAL
  let isSorted = true
  for (; count < capacity && loadLink(words, links + count, limit) !== 0; count++) {
    const byte = byteAt(words, node, count)
    if (byte < previous) isSorted = false
    previous = byte
    out[start + count] = links + count
  }
  if (!isSorted) sortByBytes(words, node, count, links, out, start)
  return count
}

/** Each byte marks its place among all bytes, and the marks are read off in order: no comparison to guess the outcome of. */
function sortByBytes(words: Words, node: number, count: number, links: number, out: Int32Array, start: number): void {
  let groups = 0
  for (let i = 0; i < count; i++) {
    const byte = byteAt(words, node, i)
    const group = byte >> 5
    LINK_OF_BYTE[byte] = links + i
    // The first of a group begins with no marks: a call that was cut off may have left some.
    MARKS[group] = (MARKS[group] & -((groups >>> group) & 1)) | (1 << (byte & 31))
    groups |= 1 << group
  }
  let end = start
  for (; groups !== 0; groups &= groups - 1) {
    const group = lowestBit(groups)
    for (let marks = MARKS[group]; marks !== 0; marks &= marks - 1) {
      out[end++] = LINK_OF_BYTE[(group << 5) | lowestBit(marks)]
    }
  }
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}

/** The first link of the node that is for a later symbol. @returns its word index, 0 if there is none */
export function linkAfter(words: Words, node: number, symbol: number, limit: number): number {
  const at = node >> 2
  const header = words[at]
  const kind = header & KIND_MASK
  if (kind === FAN) {
    for (let link = at + 1 + (symbol >> 4) + 1; link <= at + FAN_LINKS; link++) {
      if (loadLink(words, link, limit) !== 0) return link
    }
    return 0
  }
  const links = at + 1 + keyWordsOf(kind)
  const capacity = capacityOf(kind)
  let found = 0
  let least = AFTER_ALL
  for (let i = 0; i < capacity && loadLink(words, links + i, limit) !== 0; i++) {
    const byte = byteAt(words, at, i)
    if (byte > symbol && byte < least) {
      least = byte
      found = links + i
    }
  }
  return found
}

/** A new node with two branches, of which one may be TERMINAL. @returns its offset; nothing leads to it yet */
export function createFork(
  arena: Arena,
  depth: number,
  symbol: number,
  target: number,
  otherSymbol: number,
  otherTarget: number,
): number {
  const terminal = symbol === TERMINAL ? target : otherSymbol === TERMINAL ? otherTarget : 0
  const node = createNode(arena, NODE_4, depth, terminal)
  if (symbol !== TERMINAL) putBranch(arena.words, node, 0, symbol, target)
  if (otherSymbol !== TERMINAL) putBranch(arena.words, node, symbol === TERMINAL ? 0 : 1, otherSymbol, otherTarget)
  return node
}

/** Add a branch that the node does not have; where the node cannot hold it, a larger copy takes its place at `nodeLink`. */
export function addBranch(arena: Arena, nodeLink: number, symbol: number, target: number): void {
  const { words } = arena
  const node = words[nodeLink]
  const kind = words[node >> 2] & KIND_MASK
  if (symbol === TERMINAL) {
    replaceNode(arena, nodeLink, copyNode(arena, node, kind, target))
    return
  }
  if (kind === FAN) {
    arena.storeLink((node >> 2) + 1 + (symbol >> 4), target)
    return
  }
  const count = branchCount(words, node, kind)
  if (count < capacityOf(kind)) {
    putByte(words, node >> 2, count, symbol)
    arena.storeLink((node >> 2) + 1 + keyWordsOf(kind) + count, target)
    return
  }
  const larger = kind === NODE_16 ? fanOut(arena, node, symbol, target) : grow(arena, node, symbol, target)
  replaceNode(arena, nodeLink, larger)
}

/** Let a link lead to another node, which has all that the one before has. */
function replaceNode(arena: Arena, nodeLink: number, node: number): void {
  const { words } = arena
  const replaced = words[nodeLink]
  const before = (words[replaced >> 2] & HAS_TERMINAL) === 0 ? 0 : 4
  const bytes = nodeBytes(words[replaced >> 2] & KIND_MASK)
  arena.storeLink(nodeLink, node)
  arena.vacate(replaced - before, before + bytes)
}

/** A copy of the next larger kind, and one branch more. */
function grow(arena: Arena, node: number, symbol: number, target: number): number {
  const { words } = arena
  const kind = words[node >> 2] & KIND_MASK
  const grown = copyNode(arena, node, kind + 1, terminalOf(words, node))
  putBranch(words, grown, capacityOf(kind), symbol, target)
  return grown
}

/** A FAN with the branches of a full NODE_16, and one more. */
function fanOut(arena: Arena, node: number, symbol: number, target: number): number {
  const { words } = arena
  const at = node >> 2
  const fan = createNode(arena, FAN, nodeDepth(words, node), terminalOf(words, node))
  for (let upper = 0; upper < FAN_LINKS; upper++) {
    let count = symbol >> 4 === upper ? 1 : 0
    for (let i = 0; i < FAN_LINKS; i++) if (byteAt(words, at, i) >> 4 === upper) count++
    if (count > 0) words[(fan >> 2) + 1 + upper] = fanBranch(arena, node, upper, count, symbol, target)
  }
  return fan
}

/** What a FAN's link leads to: the only branch of the group, or a node with all of its `count` branches. */
function fanBranch(arena: Arena, node: number, upper: number, count: number, symbol: number, target: number): number {
  const { words } = arena
  const at = node >> 2
  const isNewInGroup = symbol >> 4 === upper
  if (count === 1 && isNewInGroup) return target
  const kind = count <= 4 ? NODE_4 : count <= 10 ? NODE_10 : NODE_16
  const group = count === 1 ? 0 : createNode(arena, kind, nodeDepth(words, node), 0)
  let filled = 0
  for (let i = 0; i < FAN_LINKS; i++) {
    const byte = byteAt(words, at, i)
    if (byte >> 4 !== upper) continue
    const link = words[at + 1 + keyWordsOf(NODE_16) + i]
    if (count === 1) return link
    putBranch(words, group, filled++, byte, link)
  }
  if (isNewInGroup) putBranch(words, group, filled, symbol, target)
  return group
}

/** A copy of a node, of the same kind or of a larger one of bytes. @param terminal its terminal link, or 0 */
function copyNode(arena: Arena, node: number, kind: number, terminal: number): number {
  const { words } = arena
  const from = node >> 2
  const fromKind = words[from] & KIND_MASK
  const copy = createNode(arena, kind, nodeDepth(words, node), terminal)
  if (kind === FAN) {
    words.copyWithin((copy >> 2) + 1, from + 1, from + 1 + FAN_LINKS)
    return copy
  }
  const links = from + 1 + keyWordsOf(fromKind)
  const count = branchCount(words, node, fromKind)
  for (let i = 0; i < count; i++) putBranch(words, copy, i, byteAt(words, from, i), words[links + i])
  return copy
}

/** A node without branches but for its terminal, if that is not 0. */
function createNode(arena: Arena, kind: number, depth: number, terminal: number): number {
  const { words } = arena
  const keyWords = keyWordsOf(kind)
  const capacity = capacityOf(kind)
  const before = terminal === 0 ? 0 : 4
  const node = arena.allocateAbove(before + nodeBytes(kind)) + before
  const at = node >> 2
  if (terminal !== 0) words[at - 1] = terminal
  words[at] = (depth << DEPTH_SHIFT) | (terminal === 0 ? 0 : HAS_TERMINAL) | kind
  for (let i = 1; i <= keyWords + capacity; i++) words[at + i] = 0
  return node
}

/** Fill the slot that comes next in a node of bytes that nothing leads to. */
function putBranch(words: Words, node: number, slot: number, symbol: number, target: number): void {
  const at = node >> 2
  const keyWords = keyWordsOf(words[at] & KIND_MASK)
  if (slot === 0) for (let i = 1; i <= keyWords; i++) words[at + i] = Math.imul(symbol, 0x01010101)
  else putByte(words, at, slot, symbol)
  words[at + 1 + keyWords + slot] = target
}

function putByte(words: Words, at: number, slot: number, byte: number): void {
  const index = at + 1 + (slot >> 2)
  const shift = (slot & 3) << 3
  words[index] = (words[index] & ~(0xff << shift)) | (byte << shift)
}

function byteAt(words: Words, at: number, slot: number): number {
  return (words[at + 1 + (slot >> 2)] >>> ((slot & 3) << 3)) & 0xff
}

function terminalOf(words: Words, node: number): number {
  const at = node >> 2
  return (words[at] & HAS_TERMINAL) === 0 ? 0 : words[at - 1]
}

function branchCount(words: Words, node: number, kind: number): number {
  const links = (node >> 2) + 1 + keyWordsOf(kind)
  const capacity = capacityOf(kind)
  let count = 0
  while (count < capacity && words[links + count] !== 0) count++
  return count
}

/** Bytes of a node, a terminal not counted. */
function nodeBytes(kind: number): number {
  return 4 + 4 * (keyWordsOf(kind) + capacityOf(kind))
}

function keyWordsOf(kind: number): number {
  return kind === NODE_4 ? 1 : kind === FAN ? 0 : kind + 2
}

function capacityOf(kind: number): number {
  return kind === NODE_4 ? 4 : kind === NODE_10 ? 10 : 16
}
