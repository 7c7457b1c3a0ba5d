/**
 * What a MemTable must do, said once more and as simply as can be: a sorted list of hex strings and the dump of it. The
 * programs are compared with one another, and with this.
 */

export class Model {
  /** Hex of a key → hex of its value, or undefined for a tombstone. */
  #entries = new Map()

  put(key, value) {
    this.#entries.set(key, value)
  }

  delete(key) {
    this.#entries.set(key, undefined)
  }

  encode() {
    // Lowercase hex sorts as the bytes do.
    const entries = [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1))
    return encode(
      entries.map(([key, value]) => ({ key: bytes(key), value: value === undefined ? undefined : bytes(value) })),
    )
  }
}

/** The dump of entries as they come, well-formed or not; `type` and the lengths are what they should be unless given. */
export function encode(entries, count = entries.length) {
  const header = Buffer.alloc(8)
  header.write('MMT1', 'latin1')
  header.writeUInt32LE(count, 4)
  return Buffer.concat([header, ...entries.map(encodeEntry)])
}

function encodeEntry({ key, value, type = value === undefined ? 1 : 0, keyLength = key.length, valueLength }) {
  const header = Buffer.alloc(9)
  header.writeUInt32LE(keyLength, 0)
  header.writeUInt32LE(valueLength ?? value?.length ?? 0, 4)
  header[8] = type
  return Buffer.concat([header, key, value ?? Buffer.alloc(0)])
}

function bytes(hex) {
  return Buffer.from(hex, 'hex')
}
