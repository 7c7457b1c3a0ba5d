/**
 * File table: branches and mutants by file, and each that is not taken or not found, as text for who writes the missing tests.
 */
import type { Outcome } from './hunting.ts'
import type { Branch } from './instrument.ts'
import type { Mutant } from './operators.ts'

interface Row {
  branches: number
  taken: number
  mutants: number
  found: number
  same: number
}

export class FileTable {
  readonly #rows = new Map<string, Row>()
  readonly #missing: string[] = []

  branch({ file, line, way }: Branch, isTaken: boolean): void {
    const row = this.#row(file)
    row.branches++
    if (isTaken) row.taken++
    else this.#missing.push(`${file}: branch: ${way}\n    ${line}`)
  }

  mutant({ file, line, change }: Mutant, { test, isSure }: Outcome, isListed: boolean): void {
    const row = this.#row(file)
    row.mutants++
    if (test !== undefined) row.found++
    else if (isListed) row.same++
    else this.#missing.push(`${file}: mutant${isSure ? '' : ', not all tests run'}: ${change}\n    ${line}`)
  }

  toString(): string {
    const rows = [...this.#rows].map(
      ([file, { branches, taken, mutants, found, same }]) =>
        `${file.padEnd(26)} branches ${taken}/${branches}, mutants ${found}/${mutants - same} (${percent(found, mutants - same)})`,
    )
    return `${[...rows, '', ...this.#missing.sort()].join('\n')}\n`
  }

  #row(file: string): Row {
    const row = this.#rows.get(file) ?? { branches: 0, taken: 0, mutants: 0, found: 0, same: 0 }
    this.#rows.set(file, row)
    return row
  }
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`
}
