/**
 * SkipListIterator: a cursor over a SkipList, in internal-key order: keys ascending, the versions of a key newest first.
 *
 * Versions are chained from newest to oldest only. Going backwards through the versions of one key therefore walks the
 * newer ones once and keeps their offsets on a stack: linear in all, and the one thing here that can allocate.
 * Threads  any; one iterator belongs to one thread. It stays at the point of its limit (memtable-rep.ts).
 */
import { MAX_TAG_HIGH } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import type { MemTableIterator } from './memtable-rep.ts'
import type { SkipList } from './skiplist.ts'
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

export class SkipListIterator implements MemTableIterator {
  valid: boolean
  keyBuf: Bytes
  keyOff: number
  keyLen: number
  tagLow: number
  tagHigh: number
  valBuf: Bytes
  valOff: number
  valLen: number

  readonly #list: SkipList
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #limit: number
  /** Where it stands; meaningful while valid. */
  #node: number
  #version: number
  /** The versions of the node that are newer than the current one, newest at the bottom; meaningful for #stackNode. */
  #stack: Int32Array
  #stackDepth: number
  #stackNode: number

  constructor(list: SkipList, limit: number) {
    this.valid = false
    this.keyBuf = list.arena.bytes
    this.keyOff = 0
    this.keyLen = 0
    this.tagLow = 0
    this.tagHigh = 0
    this.valBuf = list.arena.bytes
    this.valOff = 0
    this.valLen = 0
    this.#list = list
    this.#words = list.arena.words
    this.#limit = limit
    this.#node = 0
    this.#version = 0
    this.#stack = new Int32Array(0)
    this.#stackDepth = 0
    this.#stackNode = 0
  }

  seekToFirst(): void {
    this.#enterNewest(this.#forward(this.#list.firstNode(this.#limit)))
  }

  seekToLast(): void {
    this.#enterOldest(this.#backward(this.#list.lastNode(this.#limit)))
  }

  seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void {
    const list = this.#list
    const limit = this.#limit
    const node = this.#forward(list.findNode(key, keyOff, keyLen, limit))
    // No tag of an entry is this large, so the newest version is the answer whether or not the key is the same.
    if (node === 0 || tagHigh === MAX_TAG_HIGH || !list.isSoughtKey(node)) {
      this.#enterNewest(node)
      return
    }
    const version = findVersion(this.#words, list.versions(node, limit), tagLow, tagHigh, limit)
    if (version === 0) this.#enterNewest(this.#forward(list.nextNode(node, limit)))
    else this.#enter(node, version)
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
    if (this.#stackDepth === 0) this.#enterOldest(this.#backward(this.#list.prevNode(this.#node, this.#limit)))
    else this.#point(this.#stack[--this.#stackDepth])
  }

  nextKey(): void {
    this.#enterNewest(this.#forward(this.#list.nextNode(this.#node, this.#limit)))
  }

  prevKey(): void {
    this.#enterNewest(this.#backward(this.#list.prevNode(this.#node, this.#limit)))
  }

  toNewest(): void {
    this.#enterNewest(this.#node)
  }

  /** `node`, or the first one after it that is visible. */
  #forward(node: number): number {
    let visible = node
    while (visible >= this.#limit) visible = this.#list.nextNode(visible, this.#limit)
    return visible
  }

  #backward(node: number): number {
    let visible = node
    while (visible >= this.#limit) visible = this.#list.prevNode(visible, this.#limit)
    return visible
  }

  #enterNewest(node: number): void {
    if (node === 0) this.valid = false
    else this.#enter(node, newestVersion(this.#words, this.#list.versions(node, this.#limit), this.#limit))
  }

  #enterOldest(node: number): void {
    if (node === 0) this.valid = false
    else this.#enter(node, oldestVersion(this.#words, this.#list.versions(node, this.#limit)))
  }

  #enter(node: number, version: number): void {
    this.valid = true
    this.#node = node
    this.#stackNode = 0
    this.keyOff = this.#list.keyOffset(node)
    this.keyLen = this.#list.keyLength(node)
    this.#point(version)
  }

  #point(version: number): void {
    const words = this.#words
    this.#version = version
    this.tagLow = versionTagLow(words, version)
    this.tagHigh = versionTagHigh(words, version)
    this.valOff = version + VERSION_BYTES
    this.valLen = versionValueLength(words, version)
  }

  #fillStack(): void {
    const words = this.#words
    let version = newestVersion(words, this.#list.versions(this.#node, this.#limit), this.#limit)
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
