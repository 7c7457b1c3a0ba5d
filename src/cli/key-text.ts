/**
 * Keys and values as text, on the command line and in what is printed. Text is UTF-8; with `--hex` it is hex both ways.
 */
import { showBytes } from '../inspect/render-bytes.ts'
import { UsageError } from './exit.ts'

/**
 * An argument as a key or value.
 * @throws UsageError if it should be hex and is not, or was not UTF-8
 */
export function parseText(text: string, hex: boolean): string | Uint8Array {
  if (!hex) {
    // Node puts it in the place of bytes that it cannot read; what is meant is another key.
    if (text.includes('\ufffd')) throw new UsageError(`'${text}' is not UTF-8: give it as hex, with --hex`)
    return text
  }
  const digits = text.replace(/^0x/i, '')
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) throw new UsageError(`'${text}' is not hex`)
  return Buffer.from(digits, 'hex')
}

/** A key or value to print: text, or `0x…` if it is not printable; with `hex`, hex without prefix. */
export function showText(bytes: Uint8Array, hex: boolean): string {
  return hex ? Buffer.from(bytes).toString('hex') : showBytes(bytes)
}
