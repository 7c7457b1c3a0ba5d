/**
 * VersionIterator: the cursor over a MemTable's entries, in internal-key order: keys ascending, the versions of a key newest
 * first. A KeyPath of the representation leads from key to key; the versions of a key are the same in all of them. The path
 * finds the keys that come next some at a time, and moves take them from an array with no call. In the writer's own that holds until
 * it writes, which the arena's tail tells.
 *
 * Versions are chained from newest to oldest only. Going backwards through the versions of one key therefore walks the
 * newer ones once and keeps their offsets on a stack: linear in all. It and the path grow at times; else nothing is
 * allocated.
 * Every tree and every list keeps one that it never moves: once no object of a class is left, a full garbage collection takes the
 * runtime's description of the class and with it the compiled code of all its methods, so that each scan begins slowly.
 * Threads  any; one iterator belongs to one thread. It stays at the point of its limit (memtable-rep.ts).
 */
import { MAX_TAG_HIGH } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import { type Arena, wordAligned } from './arena.ts'
import { checksOf, type EntryChecks } from './entry-checks.ts'
import { type KeyPath, type MemTableIterator, RUN_MAX } from './memtable-rep.ts'
import {
  findVersion,
  newestVersion,
  olderVersion,
  oldestVersion,
  VERSION_BYTES,
  versionTagHigh,
  versionTagLow,
  versionValueLength,
} from './version-record.ts'

/** Half a tag that is above every other. */
const ANY = 0xffffffff

export class VersionIterator implements MemTableIterator {
  valid: boolean
  keyBuf: Bytes
  keyOff: number
  keyLen: number
  tagLow: number
  tagHigh: number
  valBuf: Bytes
  valOff: number
  valLen: number

  readonly #path: KeyPath
  readonly #arena: Arena
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #checks: EntryChecks | undefined
  readonly #limit: number
  readonly #keyLengthShift: number
  /** Where it stands; meaningful while valid. */
  #node: number
  #version: number
  /** The keys that come next, from #runAt up to #runCount, as of when the arena had this tail. */
  readonly #nodes: Int32Array
  readonly #heads: Int32Array
  #runAt: number
  #runCount: number
  #runTail: number
  /** The versions of the key that are newer than the current one, newest at the bottom; meaningful for #stackNode. */
  #stack: Int32Array
  #stackDepth: number
  #stackNode: number

  /** @param path at no key yet, with the same limit */
  constructor(arena: Arena, path: KeyPath, limit: number) {
    this.valid = false
    this.keyBuf = arena.bytes
    this.keyOff = 0
    this.keyLen = 0
    this.tagLow = 0
    this.tagHigh = 0
    this.valBuf = arena.bytes
    this.valOff = 0
    this.valLen = 0
    this.#path = path
    this.#arena = arena
    this.#words = arena.words
    this.#checks = checksOf(arena)
    this.#limit = limit
    this.#keyLengthShift = path.keyLengthShift
    this.#node = 0
    this.#version = 0
    this.#nodes = new Int32Array(RUN_MAX)
    this.#heads = new Int32Array(RUN_MAX)
    this.#runAt = 0
    this.#runCount = 0
    this.#runTail = 0
    this.#stack = new Int32Array(0)
    this.#stackDepth = 0
    this.#stackNode = 0
  }

  seekToFirst(): void {
    this.#path.first()
    this.#enterNewest()
  }

  seekToLast(): void {
    this.#path.last()
    this.#enterOldest()
  }

  seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void {
    const path = this.#path
    // No tag of an entry is this large, so the newest version is the answer whether or not the key is the same.
    if (!path.seek(key, keyOff, keyLen) || tagHigh === MAX_TAG_HIGH) {
      this.#enterNewest()
      return
    }
    const checks = this.#checks
    const newest = path.versions(path.node)
    this.#enterKey(path.node)
    const version =
      checks === undefined
        ? findVersion(this.#words, newest, tagLow, tagHigh, this.#limit)
        : checks.findVersion(this.keyOff, this.keyLen, newest, tagLow, tagHigh, this.#limit)
    this.#runCount = 0
    if (version !== 0) this.#point(version)
    else this.nextKey()
  }

  next(): void {
    const older = olderVersion(this.#words, this.#version)
    if (older === 0) {
      this.nextKey()
      return
    }
    this.#stackNode = 0
    this.#point(older)
  }

  prev(): void {
    if (this.#stackNode !== this.#node) this.#fillStack()
    if (this.#stackDepth > 0) {
      this.#point(this.#stack[--this.#stackDepth])
      return
    }
    this.#path.prev(this.#node)
    this.#enterOldest()
  }

  nextKey(): void {
    const at = this.#runAt
    // What was found ahead holds as long as nothing is written.
    if (at < this.#runCount && this.#arena.tail === this.#runTail) {
      this.#runAt = at + 1
      this.#enter(this.#nodes[at], this.#heads[at])
      return
    }
    this.#collect()
  }

  prevKey(): void {
    this.#path.prev(this.#node)
    this.#enterNewest()
  }

  toNewest(): void {
    this.#enter(this.#node, this.#path.versions(this.#node))
  }

  #collect(): void {
    this.valid = false
    const count = this.#path.collect(this.#node, this.#nodes, this.#heads)
    this.#runTail = this.#arena.tail
    this.#runAt = 1
    this.#runCount = count
    if (count > 0) this.#enter(this.#nodes[0], this.#heads[0])
  }

  /** After a move of the path. */
  #enterNewest(): void {
    const { node } = this.#path
    this.#runCount = 0
    this.valid = false
    if (node !== 0) this.#enter(node, this.#path.versions(node))
  }

  #enterOldest(): void {
    const { node } = this.#path
    this.#runCount = 0
    this.valid = false
    if (node === 0) return
    const newest = this.#path.versions(node)
    this.#enterKey(node)
    this.#checks?.verifyChain(this.keyOff, this.keyLen, newest, 0)
    this.#point(oldestVersion(this.#words, newest))
  }

  /** To the newest visible version of a key. @param head of the chain of its versions; 0 if there is only the one behind it */
  #enter(node: number, head: number): void {
    this.#enterKey(node)
    if (head === 0) this.#point(this.keyOff + wordAligned(this.keyLen))
    else if (this.#checks === undefined) this.#point(newestVersion(this.#words, head, this.#limit))
    else this.#point(this.#checks.findVersion(this.keyOff, this.keyLen, head, ANY, ANY, this.#limit))
  }

  #enterKey(node: number): void {
    this.valid = false
    this.#stackNode = 0
    this.#node = node
    this.keyOff = node + 4
    this.keyLen = this.#words[node >> 2] >>> this.#keyLengthShift
  }

  #point(version: number): void {
    const words = this.#words
    if (this.#checks !== undefined) this.#verify(this.#checks, version)
    this.valid = true
    this.#version = version
    this.tagLow = versionTagLow(words, version)
    this.tagHigh = versionTagHigh(words, version)
    this.valOff = version + VERSION_BYTES
    this.valLen = versionValueLength(words, version)
  }

  #verify(checks: EntryChecks, version: number): void {
    this.valid = false
    checks.verify(this.keyOff, this.keyLen, version)
  }

  #fillStack(): void {
    const words = this.#words
    const head = this.#path.versions(this.#node)
    this.#checks?.verifyChain(this.keyOff, this.keyLen, head, this.#version)
    let version = newestVersion(words, head, this.#limit)
    this.#stackNode = this.#node
    this.#stackDepth = 0
    for (; version !== this.#version; version = olderVersion(words, version)) {
      if (this.#stackDepth === this.#stack.length) this.#growStack()
      this.#stack[this.#stackDepth++] = version
    }
  }

  #growStack(): void {
    const grown = new Int32Array(Math.max(16, this.#stack.length * 2))
    grown.set(this.#stack)
    this.#stack = grown
  }
}
