/**
 * Instrument: a compiled file as one that has all its mutants in it, of which at most one is switched on; or as one that
 * counts which way each of its branches went. Both report to the Probe (probe.ts) of the thread that they run in.
 *
 * A branch is a way on: a function that is entered, a case, a catch, and each of the two outcomes of each operand of a
 * condition, so that `a || b` has four; of `??`, and of `||` and `&&` where no condition is, those of the left operand.
 */
import { type Site, sitesOf } from './operators.ts'
import { isNode, isOutside, lineAt, type Node, nodeAt, parsed, walk } from './syntax.ts'

/** Without a probe, as on a worker thread, no mutant is on and nothing is counted. */
const OPENING =
  'const $v = globalThis.$varve ?? { active: -1, isOn: () => false, enter: () => {}, value: (_, value) => value, given: (_, value) => value };\n'

/** A file with all its mutants, numbered from `first`. */
export function withMutants(text: string, first: number): string {
  const sites = sitesOf(text)
  const numbers: number[] = []
  let next = first
  for (const { alternatives } of sites) {
    numbers.push(next)
    next += alternatives.length
  }
  return OPENING + new MutantWriter(text, sites, numbers).write(0, text.length)
}

class MutantWriter {
  readonly #text: string
  readonly #sites: readonly Site[]
  readonly #numbers: readonly number[]
  #next = 0

  constructor(text: string, sites: readonly Site[], numbers: readonly number[]) {
    this.#text = text
    this.#sites = sites
    this.#numbers = numbers
  }

  /** What is between two places. Sites come in the order of their beginnings, and lie one inside another. */
  write(begin: number, limit: number): string {
    let written = ''
    let offset = begin
    while (this.#next < this.#sites.length && this.#sites[this.#next].start < limit) {
      const index = this.#next++
      const site = this.#sites[index]
      const inside = this.write(site.start, site.end)
      written += this.#text.slice(offset, site.start) + switched(site, this.#numbers[index], inside)
      offset = site.end
    }
    return written + this.#text.slice(offset, limit)
  }
}

function switched({ isStatement, alternatives }: Site, first: number, original: string): string {
  const last = first + alternatives.length - 1
  // In braces: an `else` may follow.
  if (isStatement) return `{ if (!$v.isOn(${first}, ${last})) { ${original} } }`
  let chosen = `(${alternatives[alternatives.length - 1]})`
  for (let i = alternatives.length - 2; i >= 0; i--) {
    chosen = `$v.active === ${first + i} ? (${alternatives[i]}) : ${chosen}`
  }
  return `($v.isOn(${first}, ${last}) ? (${chosen}) : (${original}))`
}

/** One way on. */
export interface Branch {
  readonly file: string
  readonly line: string
  /** `entered`, or `CONDITION is true`. */
  readonly way: string
}

interface Insertion {
  readonly offset: number
  readonly text: string
  /** At one place, the outer first. */
  readonly rank: number
}

/** A file that counts its branches, numbered from `first`. */
export function withBranches(file: string, text: string, first: number): { text: string; branches: Branch[] } {
  const writer = new BranchWriter(file, text, first)
  const done = new Set<Node>()
  walk(parsed(text), (node, parent, field) => {
    if (isOutside(node)) return false
    writer.add(node, parent, field, done)
    return true
  })
  return { text: OPENING + writer.text(), branches: writer.branches }
}

const TESTS = new Set(['IfStatement', 'ConditionalExpression', 'WhileStatement', 'DoWhileStatement', 'ForStatement'])

class BranchWriter {
  readonly branches: Branch[] = []
  readonly #file: string
  readonly #text: string
  readonly #first: number
  readonly #insertions: Insertion[] = []

  constructor(file: string, text: string, first: number) {
    this.#file = file
    this.#text = text
    this.#first = first
  }

  add(node: Node, parent: Node | undefined, field: string, done: Set<Node>): void {
    const isTest = parent !== undefined && field === 'test' && TESTS.has(parent.type)
    if (isTest) this.#condition(node, done)
    else if (node.type === 'LogicalExpression' && !done.has(node)) this.#choice(node, done)
    if (node.type === 'SwitchCase') this.#case(node)
    if (node.type === 'CatchClause') this.#enter(nodeAt(node, 'body'), node)
    if (isFunction(node)) this.#enter(nodeAt(node, 'body'), node)
  }

  text(): string {
    const insertions = this.#insertions.sort((a, b) => a.offset - b.offset || a.rank - b.rank)
    let written = ''
    let offset = 0
    for (const insertion of insertions) {
      written += this.#text.slice(offset, insertion.offset) + insertion.text
      offset = insertion.offset
    }
    return written + this.#text.slice(offset)
  }

  /** Each operand, each outcome. */
  #condition(node: Node, done: Set<Node>): void {
    done.add(node)
    if (node.type === 'LogicalExpression' && node.operator !== '??') {
      this.#condition(nodeAt(node, 'left'), done)
      this.#condition(nodeAt(node, 'right'), done)
    } else if (node.type === 'UnaryExpression' && node.operator === '!') {
      this.#condition(nodeAt(node, 'argument'), done)
    } else if (node.type !== 'Literal') {
      this.#wrap(node, 'value', ['is true', 'is false'])
    }
  }

  #choice(node: Node, done: Set<Node>): void {
    const left = nodeAt(node, 'left')
    if (node.operator === '??') this.#wrap(left, 'given', ['is there', 'is missing'])
    else if (!done.has(left)) this.#condition(left, done)
  }

  #wrap(node: Node, probe: string, [yes, no]: readonly string[]): void {
    const id = this.#branch(node, `${short(this.#text.slice(node.start, node.end))} ${yes}`)
    this.#branch(node, `${short(this.#text.slice(node.start, node.end))} ${no}`)
    this.#insert(node.start, `$v.${probe}(${id}, (`, node.start - node.end)
    // What ends at one place: the inner first, and before what begins there.
    this.#insert(node.end, '))', node.end - node.start - Number.MAX_SAFE_INTEGER)
  }

  #case(node: Node): void {
    const [statement] = node.consequent as Node[]
    if (statement === undefined) return
    const id = this.#branch(node, isNode(node.test) ? 'case' : 'default')
    this.#insert(statement.start, `$v.enter(${id}); `, Number.MIN_SAFE_INTEGER / 2)
  }

  #enter(body: Node, owner: Node): void {
    const id = this.#branch(owner, 'entered')
    if (body.type === 'BlockStatement') {
      this.#insert(body.start + 1, ` $v.enter(${id}); `, Number.MIN_SAFE_INTEGER / 2)
    } else {
      this.#insert(body.start, `($v.enter(${id}), (`, body.start - body.end - 1)
      this.#insert(body.end, '))', body.end - body.start + 1 - Number.MAX_SAFE_INTEGER)
    }
  }

  #branch({ start }: Node, way: string): number {
    this.branches.push({ file: this.#file, line: lineAt(this.#text, start), way })
    return this.#first + this.branches.length - 1
  }

  #insert(offset: number, text: string, rank: number): void {
    this.#insertions.push({ offset, text, rank })
  }
}

function isFunction({ type }: Node): boolean {
  return type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression'
}

function short(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
