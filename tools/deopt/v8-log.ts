/**
 * V8Log: what a log of V8 (--log-code --log-deopt --log-ic) says of the functions of this repository: which code was thrown away,
 * and which places have seen so many kinds of objects that they are looked up anew each time. A workload marks its rounds by
 * running a new function named roundMarker…, which the log shows.
 *
 * Format   a line an event, fields by commas:
 *          code-creation,JS,kind,time,address,bytes,name file:line:column,...
 *          code-deopt,time,bytes,address,inlining,offset,kind,<file:line:column> …,reason
 *          LoadIC and the like,pc,time,line,column,old state,new state,map,name,...        N is megamorphic
 *          Addresses are of the newest code that was created there. Commas in names are written \\x2C.
 */

/** Code of a function of this repository. */
export interface Place {
  /** From the root, as a source. */
  readonly file: string
  readonly name: string
}

export interface Deopt extends Place {
  /** 0 before the first marker. */
  readonly round: number
  readonly reason: string
}

export interface Megamorphic extends Place {
  readonly kind: string
  /** In the compiled file. */
  readonly line: number
  readonly property: string
}

export interface V8Log {
  readonly rounds: number
  readonly places: readonly Place[]
  readonly deopts: readonly Deopt[]
  readonly megamorphic: readonly Megamorphic[]
}

interface Code extends Place {
  readonly begin: number
  readonly limit: number
}

export const MARKER = 'roundMarker'
const INLINE_CACHES = ['LoadIC', 'StoreIC', 'KeyedLoadIC', 'KeyedStoreIC', 'KeyedHasIC']
const MEGAMORPHIC = 'N'
/** A function, its file below `.build`, line and column. */
const PLACE = /^(.*?) ?file:\/\/.*\/\.build\/((?:src|test|tools|bench)\/.*)\.js:\d+:\d+$/
const SLOT_BITS = 12

export function readV8Log(text: string): V8Log {
  const reader = new LogReader()
  for (const line of text.split('\n')) reader.read(line)
  return reader
}

class LogReader implements V8Log {
  rounds = 0
  readonly places: Place[] = []
  readonly deopts: Deopt[] = []
  readonly megamorphic: Megamorphic[] = []
  /** By pages of addresses; the newest code of a page comes last. */
  readonly #code: Map<number, Code[]> = new Map()

  read(line: string): void {
    const fields = line.split(',')
    if (fields[0] === 'code-creation') this.#created(fields)
    else if (fields[0] === 'code-deopt') this.#thrownAway(fields)
    else if (INLINE_CACHES.includes(fields[0])) this.#missed(fields)
  }

  /** What is no code of ours is kept, too: it takes the place of what was there before. */
  #created([, , , , address, bytes, description]: string[]): void {
    const match = PLACE.exec(description ?? '')
    if (description?.startsWith(MARKER)) this.rounds++
    const begin = Number(address)
    const place = { file: match === null ? '' : `${match[2]}.ts`, name: match?.[1] ?? '' }
    if (match !== null) this.places.push(place)
    const code: Code = { ...place, begin, limit: begin + Number(bytes) }
    for (let page = pageOf(begin); page <= pageOf(code.limit); page++) {
      const list = this.#code.get(page)
      if (list === undefined) this.#code.set(page, [code])
      else list.push(code)
    }
  }

  #thrownAway(fields: string[]): void {
    const code = this.#codeAt(Number(fields[3]))
    if (code !== undefined) this.deopts.push({ ...named(code), round: this.rounds, reason: fields[fields.length - 1] })
  }

  #missed([kind, pc, , line, , , state, , property]: string[]): void {
    if (state !== MEGAMORPHIC) return
    const code = this.#codeAt(Number(pc))
    if (code === undefined) return
    const one = { ...named(code), kind, line: Number(line), property }
    const isKnown = this.megamorphic.some((other) => other.file === one.file && other.line === one.line)
    if (!isKnown) this.megamorphic.push(one)
  }

  #codeAt(address: number): Code | undefined {
    const code = this.#code.get(pageOf(address))?.findLast(({ begin, limit }) => begin <= address && address < limit)
    return code === undefined || code.file === '' ? undefined : code
  }
}

function named({ file, name }: Place): Place {
  return { file, name }
}

function pageOf(address: number): number {
  return Math.floor(address / 2 ** SLOT_BITS)
}
