/**
 * Operators: what is changed in a file, one thing at a time: boundaries and senses of comparisons, conditions that always or
 * never hold, arithmetic, whole numbers by one, booleans, `&&` and `||`, statements left out, results that are not returned.
 *
 * What would only repeat another change is left out: a comparison that is a condition is not turned around, since the
 * condition that never holds shows the same; the only statement of a condition stays, for that reason, too.
 *
 * Left out is, too, what nobody can see, by rule: `this.field = undefined` in a constructor, since a declared field is that
 * already; and how much more than is needed a buffer grows, the second argument of `Math.max(needed, …)`. Constants that only time
 * and memory depend on are listed (allowed.ts).
 */
import { isNode, isOutside, lineAt, type Node, nodeAt, parsed, walk } from './syntax.ts'

/** Other texts for a piece of a file. */
export interface Site {
  readonly start: number
  readonly end: number
  /** A statement can only be left out. */
  readonly isStatement: boolean
  readonly alternatives: string[]
}

/** A changed program. */
export interface Mutant {
  /** Below src/, without its extension. */
  readonly file: string
  /** The line that is changed, as compiled. */
  readonly line: string
  /** `from → to`; of the same change on the same text of a line, the second of the file has ` #2` behind it, and so on. */
  readonly change: string
}

const COMPARISONS: Readonly<Record<string, { readonly boundary?: string; readonly not: string }>> = {
  '<': { boundary: '<=', not: '>=' },
  '<=': { boundary: '<', not: '>' },
  '>': { boundary: '>=', not: '<=' },
  '>=': { boundary: '>', not: '<' },
  '===': { not: '!==' },
  '!==': { not: '===' },
}

const OPPOSITES: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '<<': '>>',
  '>>': '<<',
  '>>>': '<<',
  '&': '|',
  '|': '&',
  '^': '&',
  '&&': '||',
  '||': '&&',
  '??': '&&',
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
  '|=': '&=',
  '&=': '|=',
  '^=': '|=',
  '<<=': '>>=',
  '>>=': '<<=',
  '>>>=': '<<=',
  '++': '--',
  '--': '++',
}

const CONDITIONS = new Set([
  'IfStatement',
  'ConditionalExpression',
  'WhileStatement',
  'DoWhileStatement',
  'ForStatement',
])

/** All places in a compiled file, by their beginnings, the outer first. */
export function sitesOf(text: string): Site[] {
  const sites = new Map<string, Site>()
  const add = (node: Node, alternatives: readonly string[], isStatement = false): void => {
    if (alternatives.length === 0) return
    const key = `${node.start}-${node.end}`
    const site = sites.get(key) ?? { start: node.start, end: node.end, isStatement, alternatives: [] }
    for (const alternative of alternatives) {
      if (!site.alternatives.includes(alternative)) site.alternatives.push(alternative)
    }
    sites.set(key, site)
  }
  const constructors = new Set<Node>()
  walk(parsed(text), (node, parent, field) => {
    if (isOutside(node) || isGrowth(node, parent, field)) return false
    if (node.type === 'MethodDefinition' && node.kind === 'constructor')
      constructors.add(nodeAt(nodeAt(node, 'value'), 'body'))
    if (parent !== undefined && constructors.has(parent) && isUndefinedField(node)) return false
    if (parent !== undefined && isName(parent, field)) return false
    if (isRemovable(node, parent)) add(node, [''], true)
    if (parent !== undefined && field === 'test' && CONDITIONS.has(parent.type)) add(node, constantsFor(node, parent))
    if (node.type === 'ReturnStatement' && isNode(node.argument)) add(node.argument, returns(node.argument))
    add(node, changesOf(node, parent, field, text))
    return true
  })
  return [...sites.values()].sort((a, b) => a.start - b.start || b.end - a.end)
}

/** The mutants of a file, numbered as its sites are. No two have both their line and their change in common. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const counts = new Map<string, number>()
  return sitesOf(text).flatMap(({ start, end, alternatives }) =>
    alternatives.map((alternative) => {
      const line = lineAt(text, start)
      const change = `${short(text.slice(start, end))} → ${alternative === '' ? 'nothing' : short(alternative)}`
      const key = `${line}\n${change}`
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return { file, line, change: count === 1 ? change : `${change} #${count}` }
    }),
  )
}

function short(text: string): string {
  const plain = text.replaceAll(/\s+/g, ' ')
  return plain.length <= 100 ? plain : `${plain.slice(0, 99)}…`
}

/** The second argument of `Math.max(needed, …)`. */
function isGrowth(node: Node, parent: Node | undefined, field: string): boolean {
  if (parent?.type !== 'CallExpression' || field !== 'arguments' || !isMaximum(nodeAt(parent, 'callee'))) return false
  const [first] = parent.arguments as Node[]
  return first !== node && first.name === 'needed'
}

/** `this.field = undefined` */
function isUndefinedField(statement: Node): boolean {
  if (statement.type !== 'ExpressionStatement') return false
  const node = nodeAt(statement, 'expression')
  if (node.type !== 'AssignmentExpression' || node.operator !== '=') return false
  const left = nodeAt(node, 'left')
  const isField = left.type === 'MemberExpression' && nodeAt(left, 'object').type === 'ThisExpression'
  return isField && nodeAt(node, 'right').name === 'undefined'
}

function isMaximum(callee: Node): boolean {
  return callee.type === 'MemberExpression' && nodeAt(callee, 'object').name === 'Math' && isNamed(callee, 'max')
}

function isNamed(member: Node, name: string): boolean {
  return nodeAt(member, 'property').name === name
}

/** A name that is written as if it were a value. */
function isName(parent: Node, field: string): boolean {
  return field === 'key' && parent.computed === false
}

/** `while (true)` is how a loop is written that ends elsewhere; one that never ends tells nothing. */
function constantsFor(node: Node, { type }: Node): string[] {
  if (node.type === 'Literal') return []
  const isLoop = type !== 'IfStatement' && type !== 'ConditionalExpression'
  return isLoop ? ['false'] : ['true', 'false']
}

function returns(argument: Node): string[] {
  const isNothing = argument.type === 'Identifier' && argument.name === 'undefined'
  return isNothing || argument.type === 'Literal' ? [] : ['undefined']
}

function isRemovable(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined || isOnlyStatement(node, parent)) return false
  if (node.type === 'ThrowStatement' || node.type === 'BreakStatement' || node.type === 'ContinueStatement') return true
  if (node.type === 'ReturnStatement') return node.argument === null
  if (node.type !== 'ExpressionStatement' || node.directive !== undefined) return false
  const expression = nodeAt(node, 'expression')
  if (isOutside(expression)) return false
  return expression.type !== 'CallExpression' || nodeAt(expression, 'callee').type !== 'Super'
}

function isOnlyStatement(node: Node, parent: Node): boolean {
  return parent.type === 'IfStatement' && parent.consequent === node && parent.alternate === null
}

function changesOf(node: Node, parent: Node | undefined, field: string, text: string): string[] {
  switch (node.type) {
    case 'BinaryExpression':
      return isText(node) ? [] : [...comparison(node, isCondition(parent, field), text), ...opposite(node, text)]
    case 'LogicalExpression':
      return opposite(node, text)
    case 'AssignmentExpression':
      return opposite(node, text)
    case 'UpdateExpression':
      return [update(node, text)]
    case 'UnaryExpression':
      return unary(node, isCondition(parent, field), text)
    case 'Literal':
      return literal(node, parent)
    default:
      return []
  }
}

function isCondition(parent: Node | undefined, field: string): boolean {
  return parent !== undefined && field === 'test' && CONDITIONS.has(parent.type)
}

function comparison(node: Node, isTurned: boolean, text: string): string[] {
  const to = COMPARISONS[String(node.operator)]
  if (to === undefined) return []
  const operators = [to.boundary, isTurned ? undefined : to.not]
  return operators.filter((operator) => operator !== undefined).map((operator) => withOperator(node, operator, text))
}

function opposite(node: Node, text: string): string[] {
  const operator = OPPOSITES[String(node.operator)]
  return operator === undefined ? [] : [withOperator(node, operator, text)]
}

function withOperator(node: Node, operator: string, text: string): string {
  const left = nodeAt(node, 'left')
  const right = nodeAt(node, 'right')
  const of = (side: Node): string => {
    const inner = text.slice(side.start, side.end)
    return side.type === 'LogicalExpression' || side.type === 'BinaryExpression' ? `(${inner})` : inner
  }
  return `${of(left)} ${operator} ${of(right)}`
}

function update(node: Node, text: string): string {
  const { start, end } = nodeAt(node, 'argument')
  const operator = OPPOSITES[String(node.operator)]
  return node.prefix === true ? operator + text.slice(start, end) : text.slice(start, end) + operator
}

function unary(node: Node, isTurned: boolean, text: string): string[] {
  const { start, end } = nodeAt(node, 'argument')
  if (isTurned && node.operator === '!') return []
  return node.operator === '!' || node.operator === '-' || node.operator === '~' ? [`(${text.slice(start, end)})`] : []
}

function literal({ value }: Node, parent: Node | undefined): string[] {
  if (typeof value === 'boolean') return [String(!value)]
  if (typeof value !== 'number' || parent?.operator === '-') return []
  return [String(value + 1), `(${value - 1})`]
}

/** Whether texts are joined. */
function isText(node: Node): boolean {
  if (node.type === 'TemplateLiteral') return true
  if (node.type === 'Literal') return typeof node.value === 'string'
  return node.operator === '+' && (isText(nodeAt(node, 'left')) || isText(nodeAt(node, 'right')))
}
