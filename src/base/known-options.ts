/**
 * Options of a call, by name: an unknown one is refused, since a misspelt one would silently not hold. Options may be inherited, as an
 * object of a class has them in its prototype, but not from the prototype of all objects: what is there got there by mistake, or by an
 * attack (prototype pollution), and would hold for calls that did not ask for it. (Only those that a loop would meet are looked for; and
 * options without a prototype inherit none.)
 */
import { InvalidArgumentError } from './errors.ts'

/** Refuse members of a call's options that the call does not know, and a signal that is none. */
export function checkCallOptions(call: string, options: object, known: ReadonlySet<string>): void {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError(`options of ${call} must be an object`)
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw new InvalidArgumentError(`${call} has no option ${name}, only ${[...known].join(', ')}`)
    if (name === 'signal') checkSignal(call, (options as { signal: unknown }).signal)
  }
  if (Object.getPrototypeOf(options) === null) return
  for (const name in Object.prototype) {
    if (known.has(name))
      throw new InvalidArgumentError(`Object.prototype has a member ${name}, which would be an option of ${call}`)
  }
}

/** @throws InvalidArgumentError unless an option is true, false or not given */
export function checkFlag(call: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return
  throw new InvalidArgumentError(`option ${name} of ${call} must be true or false`)
}

/** By its members: another realm has an AbortSignal of its own. */
function checkSignal(call: string, signal: unknown): void {
  if (signal === undefined) return
  const { aborted, addEventListener } = Object(signal) as Partial<AbortSignal>
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function')
    throw new InvalidArgumentError(`option signal of ${call} must be an AbortSignal`)
}
