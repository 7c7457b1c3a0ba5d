/**
 * Shared memory whose every load and store is a step: what modules of src/memtable get in place of the globals of the same
 * names when their interleavings are explored (program.ts). A buffer is a StepMemory, and views of it hand each access to it;
 * arrays of any other buffer are the real ones.
 *
 * Steps are words: a store of a byte is one of its word, since nothing in an arena shares a word with another thread's store.
 */

/** One thread's access to the words of a shared buffer. */
export interface StepMemory {
  readonly wordCount: number
  load(index: number, isAtomic: boolean): number
  store(index: number, value: number, isAtomic: boolean): void
}

interface View {
  readonly memory: StepMemory
  readonly from: number
}

const RealInt32Array = globalThis.Int32Array
const RealUint8Array = globalThis.Uint8Array
const views = new WeakMap<object, View>()
/** Who makes the memory of buffers that explored modules create. */
let makeMemory: ((byteLength: number) => StepMemory) | undefined

/** Let buffers that are created from now on be this memory. */
export function createWith(make: (byteLength: number) => StepMemory): void {
  makeMemory = make
}

class ExploredBuffer {
  readonly byteLength: number
  readonly growable: boolean
  readonly memory: StepMemory

  constructor(byteLength: number, memory: StepMemory = makeMemory!(byteLength)) {
    this.byteLength = byteLength
    this.growable = false
    this.memory = memory
  }

  get [Symbol.toStringTag](): string {
    return 'SharedArrayBuffer'
  }
}

/** A buffer over this memory, as another thread has it. */
export function bufferOf(memory: StepMemory): SharedArrayBuffer {
  return new ExploredBuffer(memory.wordCount * 4, memory) as unknown as SharedArrayBuffer
}

type Items = ArrayLike<number>

/** What elements of a view are, by their index in the buffer. */
interface Elements {
  load(index: number): number
  store(index: number, value: number): void
}

function viewOf(memory: StepMemory, from: number, length: number, elements: Elements): object {
  const methods: Record<string, unknown> = {
    length,
    buffer: memory,
    byteOffset: 0,
    set: (items: Items, at: number = 0) => {
      for (let i = 0; i < items.length; i++) elements.store(from + at + i, items[i])
    },
    subarray: (begin: number, end: number) => copyOf(elements, from + begin, end - begin),
    copyWithin: (to: number, begin: number, end: number) => {
      const copy = copyOf(elements, from + begin, end - begin)
      for (let i = 0; i < copy.length; i++) elements.store(from + to + i, copy[i])
    },
  }
  const view = new Proxy(methods, {
    get(_, name) {
      const index = Number(name)
      if (index >= 0 && index < length) return elements.load(from + index)
      if (!Object.hasOwn(methods, name)) throw new RangeError(`a view of shared memory has no ${String(name)}`)
      return methods[String(name)]
    },
    set(_, name, value: number) {
      const index = Number(name)
      if (!(index >= 0 && index < length)) throw new RangeError(`a store to ${String(name)} of shared memory`)
      elements.store(from + index, value)
      return true
    },
  })
  views.set(view, { memory, from })
  return view
}

function copyOf(elements: Elements, begin: number, length: number): number[] {
  return Array.from({ length }, (_, i) => elements.load(begin + i))
}

function wordsOf(memory: StepMemory, byteOffset: number, length: number): object {
  return viewOf(memory, byteOffset >> 2, length, {
    load: (index) => memory.load(index, false),
    store: (index, value) => memory.store(index, value | 0, false),
  })
}

function bytesOf(memory: StepMemory): object {
  return viewOf(memory, 0, memory.wordCount * 4, {
    load: (index) => (memory.load(index >> 2, false) >>> ((index & 3) << 3)) & 0xff,
    store: (index, value) => {
      const shift = (index & 3) << 3
      const rest = memory.load(index >> 2, false) & ~(0xff << shift)
      memory.store(index >> 2, rest | ((value & 0xff) << shift), false)
    },
  })
}

function exploredInt32Array(source: unknown, byteOffset?: number, length?: number): object {
  if (!(source instanceof ExploredBuffer)) return new RealInt32Array(source as ArrayBuffer, byteOffset, length)
  return wordsOf(source.memory, byteOffset ?? 0, length ?? source.memory.wordCount)
}

function exploredUint8Array(source: unknown, byteOffset?: number, length?: number): object {
  if (!(source instanceof ExploredBuffer)) return new RealUint8Array(source as ArrayBuffer, byteOffset, length)
  return bytesOf(source.memory)
}

function viewFor(words: object): View {
  const view = views.get(words)
  if (view === undefined) throw new TypeError('Atomics on memory that is not shared')
  return view
}

/** Of another thread's memory, or of a real buffer. */
class ExploredDataView {
  readonly #source: StepMemory | DataView

  constructor(source: StepMemory | ArrayBuffer, byteOffset: number) {
    this.#source = 'load' in source ? source : new DataView(source, byteOffset)
  }

  getInt32(at: number, isLittleEndian: boolean): number {
    const source = this.#source
    if (source instanceof DataView) return source.getInt32(at, isLittleEndian)
    const shift = (at & 3) << 3
    const word = source.load(at >> 2, false)
    return shift === 0 ? word : (word >>> shift) | (source.load((at >> 2) + 1, false) << (32 - shift))
  }
}

const exploredAtomics = {
  load(words: object, index: number): number {
    const { memory, from } = viewFor(words)
    return memory.load(from + index, true)
  },
  store(words: object, index: number, value: number): number {
    const { memory, from } = viewFor(words)
    memory.store(from + index, value | 0, true)
    return value
  },
}

export {
  ExploredBuffer as SharedArrayBuffer,
  ExploredDataView as DataView,
  exploredAtomics as Atomics,
  exploredInt32Array as Int32Array,
  exploredUint8Array as Uint8Array,
}
