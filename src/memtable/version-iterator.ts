/**
 * VersionIterator: the cursor over a MemTable's entries, in internal-key order: keys ascending, the versions of a key newest
 * first. A KeyPath of the representation leads from key to key; the versions of a key are the same in all of them.
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
import type { Arena } from './arena.ts'
import { checksOf, type EntryChecks } from './entry-checks.ts'
import type { KeyPath, MemTableIterator } from './memtable-rep.ts'
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
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #checks: EntryChecks | undefined
  readonly #limit: number
  /** Where it stands; meaningful while valid. */
  #version: number
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
    this.#words = arena.words
    this.#checks = checksOf(arena)
    this.#limit = limit
    this.#version = 0
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
    const newest = path.versions()
    this.valid = false
    const version =
      checks === undefined
        ? findVersion(this.#words, newest, tagLow, tagHigh, this.#limit)
        : checks.findVersion(path.keyOffset(), path.keyLength(), newest, tagLow, tagHigh, this.#limit)
    if (version !== 0) {
      this.#enter(version)
      return
    }
    path.next()
    this.#enterNewest()
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
    if (this.#stackNode !== this.#path.node) this.#fillStack()
    if (this.#stackDepth > 0) {
      this.#point(this.#stack[--this.#stackDepth])
      return
    }
    this.#path.prev()
    this.#enterOldest()
  }

  nextKey(): void {
    this.#path.next()
    this.#enterNewest()
  }

  prevKey(): void {
    this.#path.prev()
    this.#enterNewest()
  }

  toNewest(): void {
    this.#enterNewest()
  }

  #enterNewest(): void {
    const path = this.#path
    this.valid = false
    if (path.node === 0) return
    const newest = path.versions()
    if (this.#checks === undefined) this.#enter(newestVersion(this.#words, newest, this.#limit))
    else this.#enter(this.#checks.findVersion(path.keyOffset(), path.keyLength(), newest, ANY, ANY, this.#limit))
  }

  #enterOldest(): void {
    const path = this.#path
    this.valid = false
    if (path.node === 0) return
    const newest = path.versions()
    this.#checks?.verifyChain(path.keyOffset(), path.keyLength(), newest, 0)
    this.#enter(oldestVersion(this.#words, newest))
  }

  #enter(version: number): void {
    const path = this.#path
    this.#stackNode = 0
    this.keyOff = path.keyOffset()
    this.keyLen = path.keyLength()
    this.#point(version)
  }

  #point(version: number): void {
    const words = this.#words
    this.valid = false
    if (this.#checks !== undefined) this.#checks.verify(this.keyOff, this.keyLen, version)
    this.valid = true
    this.#version = version
    this.tagLow = versionTagLow(words, version)
    this.tagHigh = versionTagHigh(words, version)
    this.valOff = version + VERSION_BYTES
    this.valLen = versionValueLength(words, version)
  }

  #fillStack(): void {
    const words = this.#words
    const head = this.#path.versions()
    this.#checks?.verifyChain(this.keyOff, this.keyLen, head, this.#version)
    let version = newestVersion(words, head, this.#limit)
    this.#stackNode = this.#path.node
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
