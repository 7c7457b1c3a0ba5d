/**
 * MemTableSamples: what a MemTable tells of its keys without listing them: how many there are in a range, and some of them.
 */
import type { Comparator } from '../base/comparator.ts'
import { toBytes } from '../base/text.ts'
import type { MemTableEntry } from './entry.ts'
import { countKeys, estimateKeys, sampleEntries } from './key-sample.ts'
import { MemTableRanges } from './memtable-ranges.ts'
import type { MemTableRep } from './memtable-rep.ts'
import type { NewestEntries } from './newest-entries.ts'

const SAMPLE_SEED = 0x76617276

export abstract class MemTableSamples extends MemTableRanges {
  protected readonly comparator: Comparator

  constructor(comparator: Comparator) {
    super()
    this.comparator = comparator
  }

  /** Name of the comparator. */
  get order(): string {
    return this.comparator.name
  }

  protected abstract index(): MemTableRep
  protected abstract newest(): NewestEntries

  /** Keys from startKey to endKey, both inclusive, deleted ones included. O(keys in the range). */
  countRange(startKey: string | Uint8Array, endKey: string | Uint8Array): number {
    const [start, end] = [toBytes(startKey, 'startKey'), toBytes(endKey, 'endKey')]
    return countKeys(this.index().iterator(this.limit()), this.comparator, start, end, this.length)
  }

  /**
   * About as many, without counting: exact below 256 keys. A standard error is 15 % where keys are spread evenly below each
   * first byte or so, as random and ascending ones are; 'radix' knows no bound for keys in clusters of very uneven size.
   */
  estimateCount(startKey: string | Uint8Array, endKey: string | Uint8Array): number {
    const [start, end] = [toBytes(startKey, 'startKey'), toBytes(endKey, 'endKey')]
    return estimateKeys(this.index(), this.limit(), this.comparator, start, end, this.length)
  }

  /**
   * The newest version of up to `count` random keys, in order, each once: all keys if there are no more, else hardly fewer
   * than `count`, though 'radix' finds far fewer among keys in clusters of very uneven size, such as a, aa, aaa, …. The same
   * seed and table give the same sample. Not quite uniform. O(count · log n).
   */
  sample(count: number, seed: number = SAMPLE_SEED): MemTableEntry[] {
    const descent = this.index().descent(this.limit())
    return sampleEntries(descent, this.newest(), this.index().arena.bytes, this.length, count, seed)
  }
}
