/**
 * A process that writes to a database on a small disk until there is no room, goes on once there is, and says what was
 * acknowledged. One line of JSON: { refused, before, after, lost, reopened }.
 *
 *   disk-child ENGINE DIRECTORY BALLAST VALUE_BYTES      BALLAST is a file on the same disk, which is removed to make room
 */
import { mkdirSync, rmSync } from 'node:fs'
import { Prng } from '../../src/base/prng.ts'
import { type EngineName, openEngine } from '../engines/engine.ts'

/** Writes that are tried after the one that was refused. */
const AFTER = 15
const [engineName, directory, ballast, valueBytes] = process.argv.slice(2)
/** Of letters that no compression shortens by much. */
const prng = new Prng(Number(valueBytes))
const VALUE = String.fromCharCode(...Array.from({ length: Number(valueBytes) }, () => 33 + prng.below(90)))
const name = engineName as EngineName
mkdirSync(directory, { recursive: true })
let engine = await openEngine(name, directory)
// lmdb rejects promises that nobody has been given, too.
process.on('unhandledRejection', () => {})
const acknowledged: string[] = []

async function put(i: number): Promise<string | undefined> {
  const key = `key/${String(i).padStart(6, '0')}`
  try {
    await engine.write({ puts: [[key, VALUE]] }, 'disk')
    acknowledged.push(key)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

let refused: string | undefined
let next = 0
for (; refused === undefined && next < 100_000; next++) refused = await put(next)
const before = acknowledged.length
rmSync(ballast)
for (let i = 0; i < AFTER; i++) await put(next++)
const after = acknowledged.length - before
await engine.close().catch(() => {})

let lost = 0
let reopened = 'yes'
try {
  engine = await openEngine(name, directory)
  for (const key of acknowledged) if ((await engine.get(key)) !== VALUE) lost++
  await engine.close()
} catch (error) {
  reopened = (error as Error).message
  lost = acknowledged.length
}
console.log(JSON.stringify({ refused, before, after, lost, reopened }))
