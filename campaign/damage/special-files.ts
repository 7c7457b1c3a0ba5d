/**
 * On the real file system: in place of a file something that is none, and a sample of the other damages, so that what is found
 * in memory is not the memory's.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from '../../src/db/open.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { type Damage, DamagePlan, damaged } from './damages.ts'
import type { Shape } from './shapes.ts'
import { checkRefusal, judgeOpened, Violation } from './verdict.ts'

/** Cases of the ordinary plan that are done on disk. */
export const ON_DISK = 200

const WHATS = [
  'directory',
  'fifo',
  'link to the file',
  'link to nothing',
  'link to a device',
  'link to itself',
] as const

export interface SpecialCase {
  readonly shape: string
  readonly file: string
  readonly what: (typeof WHATS)[number]
}

export function specialCases(shapes: readonly Shape[]): SpecialCase[] {
  return shapes.flatMap(({ name, files }) =>
    [...files.keys()].flatMap((file) => WHATS.map((what) => ({ shape: name, file, what }))),
  )
}

/** Put something that is no file in the place of one: it must be refused, and not be followed or waited for. */
export async function trySpecial(shape: Shape, { file, what }: SpecialCase): Promise<void> {
  const outer = mkdtempSync(join(tmpdir(), 'varve-special-'))
  try {
    const directory = join(outer, 'db')
    mkdirSync(directory)
    for (const [name, bytes] of shape.files) writeFileSync(join(name === file ? outer : directory, name), bytes)
    makeSpecial(join(directory, file), join(outer, file), what)
    const opened = await open(directory, { ...shape.options, environment: nodeEnvironment() }).catch((error) => {
      checkRefusal(error, undefined)
      return undefined
    })
    await opened?.close()
    if (opened !== undefined) throw new Violation('what is no file is opened', `${file} is a ${what}`)
  } finally {
    rmSync(outer, { recursive: true, force: true })
  }
}

function makeSpecial(path: string, outside: string, what: SpecialCase['what']): void {
  if (what === 'directory') mkdirSync(path)
  else if (what === 'fifo') spawnSync('mkfifo', [path])
  else if (what === 'link to the file') symlinkSync(outside, path)
  else if (what === 'link to nothing') symlinkSync(join(outside, 'nothing'), path)
  else if (what === 'link to a device') symlinkSync('/dev/zero', path)
  else symlinkSync(path, path)
}

/** As in memory, on disk. @throws Violation */
export async function judgeOnDisk(shape: Shape, damage: Damage): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-damage-'))
  try {
    for (const [name, bytes] of damaged(shape.files, damage)) {
      if (bytes === undefined) mkdirSync(join(directory, name))
      else writeFileSync(join(directory, name), bytes)
    }
    const environment = nodeEnvironment()
    const db = await open(directory, { ...shape.options, environment }).catch((error) => {
      checkRefusal(error, damage)
      return undefined
    })
    if (db !== undefined) await judgeOpened(shape, damage, db, directory, environment)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The damage of an ordinary plan that is number `index` of the sample. */
export function sampled(shapes: readonly Shape[], seed: number, index: number): { shape: string; damage: Damage } {
  const plan = new DamagePlan(shapes, seed)
  return plan.at(Math.floor(((index + 0.5) * plan.complete) / ON_DISK))
}
