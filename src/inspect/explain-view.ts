/**
 * How a lookup goes, as lines for a terminal: what it finds, then the layers that may hold the key, newest first.
 */
import { logName, tableName } from '../base/filename.ts'
import type { ExplainedLayer, ExplainedVersion, Explanation } from '../db/read/explanation.ts'
import type { TablePlace } from '../table/table-place.ts'
import { showBytesCount, showCount, showPlural } from './figures.ts'

/** Versions of a layer that get a line of their own. */
const SHOWN_VERSIONS = 5

/** @param key as it is to be shown */
export function renderExplanation(key: string, { found, sequence, layers, otherTables }: Explanation): string[] {
  const answer = found === undefined ? 'no layer knows it' : showVersion(found)
  const lines = [`${key}, as of sequence ${showCount(sequence)}: ${answer}`]
  for (const layer of layers) lines.push(...layerLines(layer, found))
  if (otherTables > 0) lines.push(`${showPlural(otherTables, 'table')} with other keys`)
  return lines
}

function layerLines(layer: ExplainedLayer, found: ExplainedVersion | undefined): string[] {
  const { block, versions, versionCount, isAsked } = layer
  const words = isAsked ? [] : ['not asked']
  if (block !== undefined) words.push(showBlock(block))
  if (versionCount === 0) words.push('nothing')
  const shown = versions.slice(0, SHOWN_VERSIONS)
  const lines = shown.map((one) => `    ${showVersion(one)}${one === found ? '  <- found' : ''}`)
  const rest = versionCount - shown.length
  if (rest > 0) lines.push(`    ${showPlural(rest, 'older version')}`)
  return [`  ${nameOf(layer)}${words.length > 0 ? `: ${words.join('; ')}` : ''}`, ...lines]
}

function nameOf({ level, number }: ExplainedLayer): string {
  if (number === undefined) return 'MemTable'
  return level === undefined ? `MemTable of ${logName(number)}` : `level ${level}, ${tableName(number)}`
}

function showBlock({ offset, bytes, isCached, isRuledOut }: TablePlace): string {
  const filter = isRuledOut === undefined ? 'no filter' : isRuledOut ? 'ruled out by its filter' : 'not ruled out'
  return `block @${showCount(offset)}, ${showBytesCount(bytes)}, ${filter}${isCached ? ', cached' : ''}`
}

function showVersion({ sequence, type, valueBytes }: ExplainedVersion): string {
  const at = `@${showCount(sequence)}`
  if (type === 'value') return `${at} put, ${showPlural(valueBytes, 'byte')}`
  return type === 'tombstone' ? `${at} del` : `${at} del-range`
}
