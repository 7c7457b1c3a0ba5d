/**
 * dumped: a MemTable as a file, in the format that four languages read and write (conformance/): written in pieces, read
 * back, and refused once a byte of it is gone.
 *
 *   npm run example:memtable -- dumped
 */
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CorruptionError, MemTable } from '../../src/public/memtable.ts'

const directory = mkdtempSync(join(tmpdir(), 'varve-dumped-'))
try {
  const table = MemTable.create()
  for (let i = 0; i < 1000; i++) table.put(`sensor/${i % 50}/temperature`, `${15 + (i % 10)} °C`)
  table.delete('sensor/7/temperature')

  // The newest version of every key, tombstones included; pieces, so that a large table is never in memory twice.
  const path = join(directory, 'sensors.mmt')
  for (const piece of table.encodeChunks()) writeFileSync(path, piece, { flag: 'a' })
  console.log(`${table.length} keys with ${table.entryCount} versions: a dump of ${statSync(path).size} bytes`)

  const pieces: Uint8Array[] = []
  for await (const piece of createReadStream(path)) pieces.push(piece as Uint8Array)
  const copy = MemTable.decode(pieces)
  const same = Buffer.compare(copy.encode(), table.encode()) === 0
  console.log(
    `read back: ${copy.length} keys, ${copy.get('sensor/7/temperature')?.type} for sensor 7, same bytes: ${same}`,
  )

  const dump = table.encode()
  try {
    MemTable.decode(dump.subarray(0, dump.length - 1))
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    console.log(`without its last byte: refused, ${error.code}`)
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
