/**
 * Random scenarios: scripts for `memtable script`, and the dumps that they must produce. One seed makes one sequence.
 */
import { Prng } from '../.build/src/base/prng.js'
import { Model } from './model.mjs'

/** Bytes at which orders and encodings go wrong, if they do. */
const KEY_BYTES = ['00', '01', '2d', '61', '62', '7f', '80', 'ff']

/**
 * @param name the first line of the script, which every program copies
 * @returns the script, and the dumps that it must produce
 */
export function makeScenario(random, name) {
  const model = new Model()
  const lines = [`# ${name}`, 'new']
  const dumps = []
  const dump = () => {
    lines.push('dump')
    dumps.push(model.encode())
  }
  for (let count = random.below(32); count > 0; count--) {
    const key = randomKey(random)
    const kind = random.below(20)
    if (kind < 11) put(model, lines, key, randomValue(random))
    else if (kind < 15) remove(model, lines, key)
    else if (kind < 18) lines.push(`get ${word(key)}`)
    else if (kind < 19) lines.push('size')
    else dump()
  }
  lines.push('size', 'iter')
  dump()
  const encoded = model.encode()
  lines.push(`load ${damaged(random, encoded).toString('hex') || '-'}`, `load ${encoded.toString('hex')}`)
  put(model, lines, randomKey(random), randomValue(random))
  lines.push('size', 'iter')
  dump()
  return { lines, dumps }
}

/** All scenarios of a seed. */
export function* makeScenarios(seed, count) {
  const random = new Prng(seed)
  for (let i = 0; i < count; i++) yield makeScenario(random, `scenario ${i}`)
}

function put(model, lines, key, value) {
  model.put(key, value)
  lines.push(`put ${word(key)} ${word(value)}`)
}

function remove(model, lines, key) {
  model.delete(key)
  lines.push(`del ${word(key)}`)
}

function randomKey(random) {
  if (random.below(16) === 0) return randomBytes(random, random.below(300))
  const prefix = random.below(4) === 0 ? '6b657900' : ''
  return prefix + Array.from({ length: random.below(4) }, () => KEY_BYTES[random.below(KEY_BYTES.length)]).join('')
}

function randomValue(random) {
  const isLong = random.below(32) === 0
  return randomBytes(random, random.below(isLong ? 2000 : 24))
}

function randomBytes(random, count) {
  return Array.from({ length: count }, () => random.below(256).toString(16).padStart(2, '0')).join('')
}

/** A dump with a byte changed, inserted or removed, or with its end cut off: it may even be well-formed. */
function damaged(random, dump) {
  const at = random.below(dump.length)
  // Half of the time where headers are.
  const place = random.below(2) === 0 ? at : at % 32
  const byte = Buffer.of(random.below(3) === 0 ? random.below(256) : random.below(3))
  const kind = random.below(4)
  const rest = [dump.subarray(place + 1), dump.subarray(place), Buffer.of(), dump.subarray(place + 1)][kind]
  return Buffer.concat([dump.subarray(0, place), kind < 2 ? byte : Buffer.of(), rest])
}

function word(hex) {
  return hex === '' ? '-' : hex
}
