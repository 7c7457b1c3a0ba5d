/**
 * The process that the quickstart kills. Writes the cities in order, and tells its parent after every hundred how many have
 * been acknowledged: how many promises of `put` have resolved.
 */
import { open } from '../../src/public/index.ts'
import { jsonOf, keyOf, loadCities } from './cities.ts'

/** Puts under way at once; they share one write to the log. */
const AT_ONCE = 100

/** What the writer sends: so many cities, from the first on, have been acknowledged. */
export interface Acknowledged {
  readonly count: number
}

async function write(directory: string, writeBufferBytes: number): Promise<void> {
  const cities = loadCities()
  const db = await open(directory, { writeBufferBytes })
  for (let first = 0; first < cities.length; first += AT_ONCE) {
    const group = cities.slice(first, first + AT_ONCE)
    await Promise.all(group.map((city) => db.put(keyOf(city), jsonOf(city))))
    const acknowledged: Acknowledged = { count: first + group.length }
    process.send?.(acknowledged)
  }
  await db.close()
}

await write(process.argv[2], Number(process.argv[3]))
process.disconnect?.()
