/**
 * The program of the campaign about power cuts: first in name spaces of processes and mounts that end with it (namespace.ts), on an
 * empty directory of its own. Tells on standard output what it counts and finds, a line of JSON each.
 *
 *   power-main DIRECTORY SECONDS SEED FILE_SYSTEMS
 */
import { FILE_SYSTEMS } from './file-systems.ts'
import { emptyPages, MountedDisk } from './mounted-disk.ts'
import type { PowerTold } from './namespace.ts'
import { PowerCuts, type Watcher } from './power-cuts.ts'

const [directory, seconds, seed, names] = process.argv.slice(2)
const deadline = performance.now() + Number(seconds) * 1000
const tell = (told: PowerTold): void => console.log(JSON.stringify(told))
const watcher: Watcher = {
  isOver: () => performance.now() > deadline,
  count: (what, by = 1) => tell({ what, by }),
  finding: (kind, details) => tell({ kind, details }),
}

const systems = FILE_SYSTEMS.filter(({ name }) => names.split(',').includes(name))
const empty = new Map()
for (const system of systems) empty.set(system, await emptyPages(directory, system))
const cuts = new PowerCuts(await MountedDisk.begin(directory), empty, watcher, Number(seed))
// On every third disk of a kind there are failures.
for (let i = 0; !watcher.isOver(); i++) {
  await cuts.round(systems[i % systems.length], Math.floor(i / systems.length) % 3 === 1)
}
await cuts.end()
process.exit()
