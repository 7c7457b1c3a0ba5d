/**
 * Program: a copy of the compiled program, with at most one mistake in it at a time.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repository } from '../places.ts'
import { type Mutant, mutate } from './mutants.ts'

export class Program {
  readonly #root: string = mkdtempSync(join(tmpdir(), 'varve-mutants-'))

  constructor() {
    for (const folder of ['src', 'test', 'campaign', 'bench', 'tools']) {
      cpSync(repository('.build', folder), this.path(folder), { recursive: true })
    }
    for (const name of ['node_modules', 'package.json', 'package-lock.json']) {
      symlinkSync(repository(name), join(this.#root, name))
    }
  }

  /** Of what is compiled. */
  path(...parts: string[]): string {
    return join(this.#root, '.build', ...parts)
  }

  /** @param mutant undefined: the engine as it is */
  async with<T>(mutant: Mutant | undefined, run: () => Promise<T>): Promise<T> {
    if (mutant === undefined) return run()
    const path = this.path('src', `${mutant.file}.js`)
    const original = readFileSync(path, 'utf8')
    writeFileSync(path, mutate(original, mutant))
    try {
      return await run()
    } finally {
      writeFileSync(path, original)
    }
  }

  dispose(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}
