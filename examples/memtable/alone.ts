/**
 * alone: a MemTable as a sorted map: versions, tombstones, a range tombstone, a cursor that moves both ways, and what happens
 * when it is full.
 *
 *   npm run example:memtable -- alone
 */
import { MemTable, MemTableFullError } from '../../src/public/memtable.ts'

const decoder = new TextDecoder()
const text = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '–' : decoder.decode(bytes))

const table = MemTable.create({ capacityBytes: 64 * 1024 })

// Writes are numbered, and nothing is overwritten: what was true at a number stays true.
table.put('plum', 'blue')
const before = table.put('pear', 'green')
table.put('pear', 'yellow')
table.delete('plum')
const show = (key: string, sequence?: number): string => {
  const found = table.get(key, sequence)
  return found?.type === 'value' ? text(found.value) : (found?.type ?? 'unknown')
}
console.log(`pear: ${show('pear')}, and as of write ${before}: ${show('pear', before)}`)
console.log(`plum: ${show('plum')}, and as of write ${before}: ${show('plum', before)}`)
console.log(`fig: ${show('fig')}`)

// All together or none, and then a whole range at once.
table.putMany(['apple', 'apricot', 'avocado', 'banana'].map((fruit) => [fruit, `${fruit.length} letters`] as const))
table.deleteRange('ap', 'aq')
for (const entry of table.rangeScan('a', 'b~')) {
  console.log(entry.type === 'value' ? `${text(entry.key)}: ${text(entry.value)}` : `${text(entry.key)}: deleted`)
}

// Backwards from the last key that is not after "c".
const cursor = table.cursor()
for (let valid = cursor.seekForPrev('c'); valid; valid = cursor.prev()) console.log(`← ${text(cursor.key)}`)

// It never grows: a full table says so before it changes, and one goes on with the next.
try {
  for (let i = 0; ; i++) table.put(`key${i}`, 'x'.repeat(1000))
} catch (error) {
  if (!(error instanceof MemTableFullError)) throw error
  table.freeze()
  console.log(`full: ${table.length} keys, ${table.entryCount} versions, frozen: ${table.isFrozen}`)
}
