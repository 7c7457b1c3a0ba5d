/**
 * The program of the campaign about power cuts: first in name spaces of processes and mounts that end with it (namespace.ts), on an
 * empty directory of its own. Tells on standard output what it counts and finds, a line of JSON each.
 *
 *   power-main DIRECTORY SECONDS SEED FILE_SYSTEMS IS_KEPT
 */
import { Prng } from '../../src/base/prng.ts'
import { Disk, type Pages } from './disk.ts'
import { DISK_BYTES, FILE_SYSTEMS, type FileSystem } from './file-systems.ts'
import { emptyPages, MountedDisk } from './mounted-disk.ts'
import type { PowerTold } from './namespace.ts'
import { PowerCuts, type Watcher } from './power-cuts.ts'

const [directory, seconds, seed, names, isKept] = process.argv.slice(2)
const deadline = performance.now() + Number(seconds) * 1000
const tell = (told: PowerTold): void => console.log(JSON.stringify(told))
const watcher: Watcher = {
  isKept: isKept === 'true',
  isOver: () => performance.now() > deadline,
  count: (what, by = 1) => tell({ what, by }),
  finding: (kind, details) => tell({ kind, details }),
}

const mounted = await MountedDisk.begin(directory)
const empty = new Map<FileSystem, Pages>()
for (const system of FILE_SYSTEMS.filter(({ name }) => names.split(',').includes(name))) {
  const pages = await emptyPages(directory, system)
  const refusal = await mounted.mount(new Disk(DISK_BYTES, pages, new Prng(0)), system, '')
  if (refusal !== undefined) {
    tell({ what: `skipped: ${system.name} does not mount here`, by: 1 })
    continue
  }
  await mounted.unmount()
  empty.set(system, pages)
}
const systems = [...empty.keys()]
const cuts = new PowerCuts(mounted, empty, watcher, Number(seed))
// On every third disk of a kind there are failures.
for (let i = 0; systems.length > 0 && !watcher.isOver(); i++) {
  await cuts.round(systems[i % systems.length], Math.floor(i / systems.length) % 3 === 1)
}
await cuts.end()
process.exit()
