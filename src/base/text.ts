/**
 * Text: strings and byte views from callers, as bytes. Strings are UTF-8. What cannot be stored faithfully is refused: a
 * lone surrogate has no UTF-8 form (TextEncoder would write U+FFFD for it), and a detached or out-of-bounds view has
 * lost the bytes that it was meant to pass on.
 */
import { ownedCopy } from './bytes.ts'
import { InvalidArgumentError } from './errors.ts'
import type { Bytes } from './types.ts'

const encoder = new TextEncoder()

/** Up to here a loop over ASCII is eight times as fast as TextEncoder (measured, Node 20). */
const ASCII_LOOP_LENGTH = 64

/**
 * A caller's argument as bytes: a Uint8Array as it is, neither copied nor wrapped; a string as UTF-8, in fresh memory.
 * @param what names the argument in the error
 * @throws InvalidArgumentError if it is neither, is detached or out of its buffer's bounds, or has lone surrogates
 */
export function toBytes(input: unknown, what: string): Bytes {
  if (typeof input === 'string') return encodeText(input, what)
  if (!isUint8Array(input)) {
    throw new InvalidArgumentError(`${what} must be a string or a Uint8Array, not ${describe(input)}`)
  }
  // Not by its length: in Node 20, compiled code may give that of a detached view as it was before.
  if (input[0] === undefined && isLost(input)) throw new InvalidArgumentError(`${what} is a view of detached memory`)
  return input
}

/** As toBytes, in memory of its own: the caller may go on with a buffer. */
export function toOwnBytes(input: unknown, what: string): Uint8Array<ArrayBuffer> {
  const bytes = toBytes(input, what)
  return ownedCopy(bytes, 0, bytes.length)
}

function encodeText(text: string, what: string): Bytes {
  if (text.length <= ASCII_LOOP_LENGTH) {
    const bytes = new Uint8Array(text.length)
    let i = 0
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) break
      bytes[i] = unit
    }
    if (i === text.length) return bytes
  }
  // In Node 20, but not yet in the es2023 library.
  if (!(text as string & { isWellFormed(): boolean }).isWellFormed()) {
    throw new InvalidArgumentError(`${what} has a lone surrogate, which UTF-8 cannot hold`)
  }
  return encoder.encode(text)
}

/** Whether it is one; also of a view that another realm made (a test runner's, a vm context's), where `instanceof` says no. */
export function isUint8Array(input: unknown): input is Bytes {
  if (input instanceof Uint8Array) return true
  return ArrayBuffer.isView(input) && (input as Bytes)[Symbol.toStringTag] === 'Uint8Array'
}

/** Whether a view without a first byte is so because its buffer went away; every method of a typed array checks that first. */
function isLost(view: Bytes): boolean {
  try {
    Uint8Array.prototype.at.call(view, 0)
    return false
  } catch {
    return true
  }
}

/** @throws InvalidArgumentError unless `path` may be one; `what` names it in the error */
export function checkPath(path: unknown, what: string): asserts path is string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return
  const given = typeof path === 'string' ? JSON.stringify(path) : describe(path)
  throw new InvalidArgumentError(`${what} must be a path, a non-empty string without zero bytes, not ${given}`)
}

function describe(input: unknown): string {
  if (typeof input !== 'object' || input === null) return input === null ? 'null' : typeof input
  const name: unknown = input.constructor?.name
  return typeof name === 'string' && name !== '' ? name : 'object'
}
