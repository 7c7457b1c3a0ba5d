/**
 * Syntax: a compiled file as a tree, and the walk over it. Of acorn's nodes only what every node has is typed: kinds and
 * places; who asks for a field knows the kind.
 */
import { parse } from 'acorn'

export interface Node {
  readonly type: string
  /** Characters from the beginning of the file. */
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

/** @throws SyntaxError */
export function parsed(text: string): Node {
  return parse(text, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as Node
}

/**
 * Visit a tree, parents first.
 * @param enter whether to go on to what is inside
 * @param parent of `node`
 */
export function walk(
  node: Node,
  enter: (node: Node, parent: Node | undefined, field: string) => boolean,
  parent?: Node,
  field: string = '',
): void {
  if (!enter(node, parent, field)) return
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, enter, node, name)
    }
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}

/** The field of a node that is a node. */
export function nodeAt(node: Node, field: string): Node {
  const value = node[field]
  if (!isNode(value)) throw new Error(`${node.type} has no ${field}`)
  return value
}

/**
 * What is nobody's behaviour: the compiler's own functions for `using`, and assertions, which say what cannot be, so that no
 * test can make them fail.
 */
export function isOutside(node: Node): boolean {
  if (node.type === 'VariableDeclarator') return String((node.id as Node).name).startsWith('__')
  if (node.type !== 'CallExpression') return node.type === 'ImportDeclaration'
  const { name } = node.callee as Node
  return typeof name === 'string' && (name === 'assert' || name.startsWith('__'))
}

/** The line that a place is in, without what surrounds it. */
export function lineAt(text: string, offset: number): string {
  const begin = text.lastIndexOf('\n', offset - 1) + 1
  const limit = text.indexOf('\n', offset)
  return text.slice(begin, limit < 0 ? text.length : limit).trim()
}
