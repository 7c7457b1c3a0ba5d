/**
 * The files of a directory that are a database's, in the order in which its reader comes to them: CURRENT, manifests, logs,
 * tables, the rest; each kind by number.
 */
import { type FileType, type ParsedName, parseFileName } from '../base/filename.ts'

const ORDER: readonly FileType[] = ['current', 'manifest', 'log', 'table', 'temporary', 'info-log', 'lock']

/** @param names of a directory's entries */
export function databaseFiles(names: readonly string[]): string[] {
  const known: { readonly name: string; readonly parsed: ParsedName }[] = []
  for (const name of names) {
    const parsed = parseFileName(name)
    if (parsed !== undefined) known.push({ name, parsed })
  }
  known.sort((a, b) => ORDER.indexOf(a.parsed.type) - ORDER.indexOf(b.parsed.type) || a.parsed.number - b.parsed.number)
  return known.map(({ name }) => name)
}
