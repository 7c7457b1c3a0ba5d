/**
 * Template: a key or value made of a record's fields, as `{country}/{name}/{cityId}`.
 *
 * A field is a name, or names separated by dots for what lies deeper (`{loc.coordinates.0}`); a name that itself holds dots
 * is found first. `{{` and `}}` stand for braces. Strings are taken as they are, everything else as JSON; a field that is
 * missing or null is an error, and so is a number that JavaScript cannot keep: two of them would be one key.
 */
import { UsageError } from './exit.ts'

export class Template {
  readonly #parts: readonly { readonly text: string; readonly isField: boolean }[]

  /** @throws UsageError if braces do not match */
  constructor(source: string) {
    const parts: { text: string; isField: boolean }[] = []
    for (const [token] of source.matchAll(/\{\{|\}\}|\{[^{}]+\}|[^{}]+|[{}]/g)) {
      if (token === '{' || token === '}')
        throw new UsageError(`the template ${source} has a lone or empty brace; write {{ for {`)
      const isField = token.length > 2 && token.startsWith('{')
      const text = isField ? token.slice(1, -1) : token.replace('{{', '{').replace('}}', '}')
      parts.push({ text, isField })
    }
    this.#parts = parts
  }

  get hasFields(): boolean {
    return this.#parts.some(({ isField }) => isField)
  }

  /** @throws Error naming the field that is missing, or the number that cannot be kept */
  render(fields: unknown): string {
    let text = ''
    for (const part of this.#parts) text += part.isField ? fieldText(fields, part.text) : part.text
    return text
  }
}

function fieldText(fields: unknown, path: string): string {
  const value = fieldOf(fields, path)
  if (value === undefined || value === null) throw new Error(`there is no field ${path}`)
  return typeof value === 'string' ? value : JSON.stringify(value, kept)
}

/** @throws Error if it is a number that is not, or may not be, the one that the record has */
function kept(_: string, value: unknown): unknown {
  if (typeof value !== 'number' || (Number.isFinite(value) && Number.isSafeInteger(Math.trunc(value)))) return value
  throw new Error(`the number ${value} is too large to be kept as it is: it has to be a string`)
}

function fieldOf(fields: unknown, path: string): unknown {
  if (hasOwn(fields, path)) return fields[path]
  let value = fields
  for (const name of path.split('.')) {
    if (!hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

function hasOwn(value: unknown, name: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
}
