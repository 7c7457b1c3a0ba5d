/**
 * same-files: writes the same databases and dumps of MemTables wherever it runs, by the installed package, and reads them again. What
 * another processor wrote is the same, byte for byte, or one of the two is wrong.
 *
 *   same-files write DIRECTORY    makes databases and dumps in it, and prints name and SHA-1 of each file
 *   same-files read DIRECTORY     verifies what `write` made, opens it, and prints how many entries there are, and their SHA-1
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { open, verify, WriteBatch } from 'varve'
import { MemTable } from 'varve/memtable'

const COMPRESSIONS = ['snappy', 'none']
const REPRESENTATIONS = ['radix', 'skiplist', 'vector']
const BATCHES = 40
const BATCH_ENTRIES = 100
const KEYS = 3000
/** Holds the names of processes and hosts. */
const OWN = ['LOCK']

/** xorshift32: every processor computes the same. */
let state = 1
function random(limit) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % limit
}

const sha1 = (bytes) => createHash('sha1').update(bytes).digest('hex')
const key = () => `key:${random(KEYS)}`
const value = () => `${random(2 ** 32)}`.repeat(random(60))

/** Several tables on two levels, and entries that are only in the log. */
async function writeDatabase(directory, compression) {
  const options = {
    compression,
    writeBufferBytes: 128 * 1024,
    maxFileBytes: 1024 * 1024,
    workers: 0,
    mergeAtRest: false,
  }
  const db = await open(directory, options)
  for (let i = 0; i < BATCHES; i++) {
    const batch = new WriteBatch()
    for (let j = 0; j < BATCH_ENTRIES; j++) {
      if (random(8) === 0) batch.delete(key())
      else batch.put(key(), value())
    }
    if (i % 10 === 5) batch.deleteRange('key:20', 'key:21')
    await db.write(batch)
    if (i === BATCHES / 2) await db.compactRange()
  }
  await db.close()
}

function dumpOf(representation) {
  const table = MemTable.create({ capacityBytes: 1024 * 1024, representation })
  for (let i = 0; i < 2000; i++) {
    if (random(8) === 0) table.delete(key())
    else table.put(key(), value())
  }
  return table.encode()
}

async function write(directory) {
  for (const compression of COMPRESSIONS) {
    const database = join(directory, compression)
    mkdirSync(database, { recursive: true })
    await writeDatabase(database, compression)
    for (const name of readdirSync(database).sort())
      if (!OWN.includes(name)) console.log(compression, name, sha1(readFileSync(join(database, name))))
  }
  for (const representation of REPRESENTATIONS) {
    const dump = dumpOf(representation)
    writeFileSync(join(directory, `${representation}.dump`), dump)
    console.log(representation, sha1(dump))
  }
}

async function read(directory) {
  for (const compression of COMPRESSIONS) {
    const database = join(directory, compression)
    const report = await verify(database)
    assert.deepEqual(report.findings, [])
    const db = await open(database, { createIfMissing: false })
    const entries = [...db.scanSync()]
    console.log(compression, entries.length, sha1(Buffer.concat(entries.flat())))
    await db.close()
  }
  for (const representation of REPRESENTATIONS) {
    const table = MemTable.decode(readFileSync(join(directory, `${representation}.dump`)))
    console.log(representation, table.length, sha1(table.encode()))
  }
}

const [what, directory] = process.argv.slice(2)
await (what === 'write' ? write(directory) : read(directory))
