/**
 * What tools/deopt-guard.ts must find: a function that is given another kind of object as soon as it is compiled for all that it has
 * seen, round after round, and one that has seen more shapes than V8 keeps apart. Argument: rounds.
 */
import { runInThisContext } from 'node:vm'
import { markRound } from '../../tools/deopt/mark-round.ts'

interface Square {
  readonly side: number
}

const CALLS = 30_000
const SHAPES = 8

/** Objects with `side` at another place each. */
function squareOfShape(shape: number): Square {
  const before = Array.from({ length: shape }, (_, i) => [`before${i}`, i])
  return Object.fromEntries([...before, ['side', shape]]) as Square
}

function areaOf(square: Square): number {
  return square.side * square.side
}

/** A function of that name which the compiler has never seen: its source differs. */
function makeReader(round: number): (value: unknown) => number {
  const source = `(function readAny(value) { return value.length + ${round} })`
  return runInThisContext(source, { filename: import.meta.url })
}

let sum = 0
const squares = Array.from({ length: SHAPES }, (_, shape) => squareOfShape(shape))
for (let round = 0; round < Number(process.argv[2]); round++) {
  markRound(round)
  for (let i = 0; i < CALLS; i++) sum += areaOf(squares[i % SHAPES])
  const readAny = makeReader(round)
  for (let i = 0; i < CALLS; i++) sum += readAny('text')
  sum += readAny([1, 2, 3])
}
if (Number.isNaN(sum)) throw new Error('nothing was computed')
