/**
 * Entries as JSON, without loss: what `export` writes and `import` reads back.
 *
 * Format   entry := {"key": bytes, "value": bytes}
 *          bytes := "text", if they are UTF-8 | {"base64": "…"}, if they are not | "hex digits", with --hex
 */
import { decodeText } from '../inspect/render-bytes.ts'

/** A byte string in JSON. */
export type JsonBytes = string | { readonly base64: string }

export function bytesToJson(bytes: Uint8Array): JsonBytes {
  return decodeText(bytes) ?? { base64: Buffer.from(bytes).toString('base64') }
}

/** A report or figures, with the bytes in them in this form. What is undefined is null, so that no field is missing. */
export function reportToJson(report: object): string {
  const toJson = (_: string, value: unknown): unknown =>
    value instanceof Uint8Array ? bytesToJson(value) : (value ?? null)
  return JSON.stringify(report, toJson, 2)
}

/** The bytes that a parsed JSON value stands for, or undefined if it does not stand for any. */
export function bytesFromJson(json: unknown): string | Uint8Array | undefined {
  if (typeof json === 'string') return json
  if (typeof json !== 'object' || json === null || Object.keys(json).length !== 1) return undefined
  const { base64 } = json as { readonly base64?: unknown }
  if (typeof base64 !== 'string') return undefined
  const bytes = Buffer.from(base64, 'base64')
  // Node decodes what it can; what does not come out again was not base64.
  return bytes.toString('base64') === base64 ? bytes : undefined
}
