/**
 * Mutants of the publication protocol (src/memtable/memtable-rep.ts): each breaks one of its rules somewhere, and would pass
 * every test on one thread; most pass on several threads of an x86 machine, too, whose stores become visible in order.
 */
import type { Mutation } from './program.ts'
import type { Representation } from './small-histories.ts'

export interface Mutant {
  readonly what: string
  /** Where it matters: a representation, and one of small-histories.ts. */
  readonly representation: Representation
  readonly history: string
  readonly mutations: readonly Mutation[]
}

const SLOT_STORE = 'words[slot] = tail;'
const TAIL_STORE = 'arena.storeWord(Layout.TAIL, tail);'

const OWN_LINKS =
  'for (let level = 0; level < height; level++)\n            words[(node >> 2) - 1 - level] = this.#after[level];'
const LAST_LINK = 'const next = this.#after[0];\n        this.#arena.storeLink(next === 0'
const PUT_KEY = 'putPadded(this.#arena, node + 4, key, keyOff, keyLen);'

/** One change of one module. */
function mutant(
  what: string,
  representation: Representation,
  module: string,
  from: string,
  to: string,
  history: string = 'the first keys of an empty table',
): Mutant {
  return { what, representation, history, mutations: [{ module, from, to }] }
}

/** Rules 2 and 3: tail, limit, numbers and freezing. */
const TABLE: readonly Mutant[] = [
  mutant('the tail is stored plainly', 'radix', 'table-counters', TAIL_STORE, 'words[Layout.TAIL] = tail;'),
  mutant(
    'the tail is loaded plainly',
    'radix',
    'arena',
    'return Atomics.load(this.words, Layout.TAIL);',
    'return this.words[Layout.TAIL];',
  ),
  mutant('a shared table does not know that it is', 'radix', 'memtable', 'this.#arena.isShared = true;', ''),
  mutant(
    'links of a shared table are stored plainly',
    'radix',
    'arena',
    'Atomics.store(this.words, index, offset);',
    'this.words[index] = offset;',
  ),
  mutant(
    'an attached table reads without a limit',
    'radix',
    'memtable',
    'return this.#isOwner && (!this.#arena.isTorn || this.#takeBack()) ? NO_LIMIT : this.#arena.watermark();',
    'return NO_LIMIT;',
  ),
  mutant(
    'the tail is published with every entry',
    'skiplist',
    'memtable',
    'this.#counters.add(sequence, replaced === 0, isDeletion, change);',
    'this.#counters.add(sequence, replaced === 0, isDeletion, change); this.#counters.publish(this.#arena);',
  ),
  mutant(
    'the tail is published before the last entry',
    'radix',
    'memtable',
    'const replaced = this.#rep.add(',
    'this.#counters.publish(this.#arena); const replaced = this.#rep.add(',
  ),
  mutant(
    'the tail is stored ahead of what is added',
    'skiplist',
    'arena',
    'this.tail = offset + bytes;',
    'this.tail = offset + bytes; this.words[Layout.TAIL] = this.tail;',
  ),
  {
    what: 'the tail is stored before its slot is',
    representation: 'radix',
    history: 'the first keys of an empty table',
    mutations: [
      { module: 'table-counters', from: SLOT_STORE, to: TAIL_STORE },
      { module: 'table-counters', from: TAIL_STORE, to: SLOT_STORE },
    ],
  },
  {
    what: "a slot's tail is stored after its numbers",
    representation: 'radix',
    history: 'the first keys of an empty table',
    mutations: [
      { module: 'table-counters', from: SLOT_STORE, to: '' },
      { module: 'table-counters', from: TAIL_STORE, to: `${SLOT_STORE} ${TAIL_STORE}` },
    ],
  },
  mutant(
    "a slot's numbers are stored plainly",
    'radix',
    'table-counters',
    'arena.storeWord(index, word);',
    'arena.words[index] = word;',
  ),
  mutant(
    "a slot's numbers are loaded plainly",
    'radix',
    'table-counters',
    'return Atomics.load(words, index) >>> 0;',
    'return words[index] >>> 0;',
  ),
  mutant(
    "a slot's tail is not loaded again",
    'radix',
    'table-counters',
    'if (Atomics.load(words, slot) === tail)\n                return;',
    'return;',
  ),
  mutant(
    'the slot in use is filled',
    'radix',
    'table-counters',
    '? Layout.SLOT_B : Layout.SLOT_A;\n        //',
    '? Layout.SLOT_A : Layout.SLOT_B;\n        //',
  ),
  mutant(
    'a table freezes before it publishes',
    'radix',
    'memtable',
    'this.publish();\n        this.#arena.freeze();',
    'this.#arena.freeze();\n        this.publish();',
  ),
  mutant(
    "a vector's index is stored after it is frozen",
    'vector',
    'sorted-vector',
    'this.#words.set(',
    'arena.freeze();\n        this.#words.set(',
  ),
  mutant(
    'the state is stored plainly',
    'radix',
    'arena',
    'Atomics.store(this.words, Layout.STATE, Layout.FROZEN);',
    'this.words[Layout.STATE] = Layout.FROZEN;',
  ),
  mutant(
    'the state is loaded plainly',
    'radix',
    'arena',
    'return Atomics.load(this.words, Layout.STATE) === Layout.FROZEN;',
    'return this.words[Layout.STATE] === Layout.FROZEN;',
  ),
]

/** Rules 1 and 4 in the radix tree. */
const RADIX: readonly Mutant[] = [
  // Noticed by checksums alone: a leaf that is met too early lies above the limit, and nothing leads on from it.
  mutant(
    'the root link is stored plainly',
    'radix',
    'radix-tree',
    'this.arena.storeLink(ROOT_LINK, leaf);',
    'words[ROOT_LINK] = leaf;',
  ),
  mutant(
    'a fork is linked plainly',
    'radix',
    'radix-tree',
    'this.arena.storeLink(link, createFork(this.arena, shared, otherSymbol, target, symbol, leaf));',
    'words[link] = createFork(this.arena, shared, otherSymbol, target, symbol, leaf);',
  ),
  mutant(
    'a branch of bytes is linked plainly',
    'radix',
    'radix-node',
    'arena.storeLink((node >> 2) + 1 + keyWordsOf(kind) + count, target);',
    'words[(node >> 2) + 1 + keyWordsOf(kind) + count] = target;',
    'a new key beside others',
  ),
  mutant(
    'a branch of a fan is linked plainly',
    'radix',
    'radix-node',
    'arena.storeLink((node >> 2) + 1 + (symbol >> 4), target);',
    'words[(node >> 2) + 1 + (symbol >> 4)] = target;',
    'a fan gains branches',
  ),
  mutant(
    'a node that gains a terminal is linked plainly',
    'radix',
    'radix-node',
    'replaceNode(arena, nodeLink, copyNode(arena, node, kind, target));',
    'words[nodeLink] = copyNode(arena, node, kind, target);',
    'a fork above a node',
  ),
  mutant(
    'a node that grew is linked plainly',
    'radix',
    'radix-node',
    'replaceNode(arena, nodeLink, larger);',
    'words[nodeLink] = larger;',
    'a node that is full grows',
  ),
  mutant(
    'the memory of a node that grew is used again while a reader may be there',
    'radix',
    'arena',
    'if (this.isShared)\n            return;\n        this.words[offset >> 2]',
    'this.words[offset >> 2]',
    'a node that is full grows',
  ),
  mutant(
    'a branch is linked before its byte is stored',
    'radix',
    'radix-node',
    'putByte(words, node >> 2, count, symbol);\n        arena.storeLink((node >> 2) + 1 + keyWordsOf(kind) + count, target);',
    'arena.storeLink((node >> 2) + 1 + keyWordsOf(kind) + count, target);\n        putByte(words, node >> 2, count, symbol);',
    'a new key at either end',
  ),
  mutant(
    'a link is not loaded again',
    'radix',
    'radix-node',
    'return target >= limit ? Atomics.load(words, link) : target;',
    'return target;',
  ),
  mutant(
    'a link is loaded again plainly',
    'radix',
    'radix-node',
    'return target >= limit ? Atomics.load(words, link) : target;',
    'return target >= limit ? words[link] : target;',
  ),
  mutant(
    'the next branch of a fan is found by a plain load',
    'radix',
    'radix-node',
    'if (loadLink(words, link, limit) !== 0)\n                return link;',
    'if (words[link] !== 0)\n                return link;',
    'a fan gains branches',
  ),
  mutant(
    'the next branch is found by a plain load',
    'radix',
    'radix-node',
    'for (let i = 0; i < capacity && loadLink(words, links + i, limit) !== 0; i++)',
    'for (let i = 0; i < capacity && words[links + i] !== 0; i++)',
    'a new key beside others',
  ),
  mutant(
    "a chain's newest version is stored plainly",
    'radix',
    'radix-leaf',
    'arena.storeLink(target >> 2, appendVersion(arena, newest, tagLow, tagHigh, value, valOff, valLen));',
    'words[target >> 2] = appendVersion(arena, newest, tagLow, tagHigh, value, valOff, valLen);',
    'a chain of versions',
  ),
  mutant(
    'a chain is linked plainly',
    'radix',
    'radix-leaf',
    'arena.storeLink(link, chain + CHAIN);',
    'words[link] = chain + CHAIN;',
    'the second version of a key',
  ),
  mutant(
    'a chain is linked before it is filled',
    'radix',
    'radix-leaf',
    'words[chain >> 2] = version;\n    words[(chain >> 2) + 1] = target - LEAF;\n    arena.storeLink(link, chain + CHAIN);',
    'arena.storeLink(link, chain + CHAIN);\n    words[chain >> 2] = version;\n    words[(chain >> 2) + 1] = target - LEAF;',
    'the second version of a key',
  ),
  mutant(
    'a key is shown that is above the limit',
    'radix',
    'radix-path',
    'if (leaf >= this.#limit)',
    'if (leaf >= 0x7fffffff)',
  ),
  // Without its byte it would be taken for the first branch.
  mutant(
    'branches of bytes are listed by a plain load',
    'radix',
    'radix-node',
    'for (; count < capacity && loadLink(words, links + count, limit) !== 0; count++)',
    'for (; count < capacity && words[links + count] !== 0; count++)',
    'a node that is full grows',
  ),
  mutant(
    'a key that was found ahead is shown above the limit',
    'radix',
    'radix-path',
    'if (leaf < limit)',
    'if (leaf < 0x7fffffff)',
  ),
  mutant(
    'a version is shown that is above the limit',
    'radix',
    'version-record',
    'while (version >= limit)',
    'while (version >= 0x7fffffff)',
    'the second version of a key',
  ),
  mutant(
    'a version is found that is above the limit',
    'radix',
    'version-record',
    'if (version >= limit)',
    'if (version >= 0x7fffffff)',
  ),
  mutant(
    'some branch is met by a plain load',
    'radix',
    'radix-node',
    'let target = loadLink(words, link, limit);\n    while (target === 0)\n        target = loadLink(words, ++link, limit);\n    return target;',
    'while (words[link] === 0)\n        link++;\n    return loadLink(words, link, limit);',
    'a fan gains branches',
  ),
]

/** Rules 1 and 4 in the skip list. */
const SKIPLIST: readonly Mutant[] = [
  // Noticed by checksums alone, as versions above the limit are not read.
  mutant(
    "a node's first version is written after it is linked",
    'skiplist',
    'skiplist',
    'writeFirstVersion(this.#arena, first, tagLow, tagHigh, value, valOff, valLen);\n        this.#link(node, height);',
    'this.#link(node, height);\n        writeFirstVersion(this.#arena, first, tagLow, tagHigh, value, valOff, valLen);',
    'a new key beside others',
  ),
  {
    what: "a node's own links are stored after it is linked",
    history: 'a new key beside others',
    representation: 'skiplist',
    mutations: [
      { module: 'skiplist', from: OWN_LINKS, to: '' },
      { module: 'skiplist', from: LAST_LINK, to: `${OWN_LINKS}\n        ${LAST_LINK}` },
    ],
  },
  {
    what: 'a key is written after its node is linked',
    history: 'a new key beside others',
    representation: 'skiplist',
    mutations: [
      { module: 'skiplist', from: PUT_KEY, to: '' },
      { module: 'skiplist', from: 'this.#link(node, height);', to: `this.#link(node, height);\n        ${PUT_KEY}` },
    ],
  },
  mutant(
    'a tower is linked plainly',
    'skiplist',
    'skiplist',
    'this.#arena.storeLink((this.#before[level] >> 2) - 1 - level, node);',
    'words[(this.#before[level] >> 2) - 1 - level] = node;',
  ),
  mutant(
    'the link back is stored plainly',
    'skiplist',
    'skiplist',
    'this.#arena.storeLink(next === 0 ? LAST : this.#suffix(next) + PREV, node);',
    'words[next === 0 ? LAST : this.#suffix(next) + PREV] = node;',
  ),
  mutant(
    "a chain's newest version is stored plainly",
    'skiplist',
    'skiplist',
    'this.#arena.storeLink(head, version);',
    'this.#words[head] = version;',
    'a chain of versions',
  ),
  mutant(
    'a link is not loaded again',
    'skiplist',
    'skiplist',
    'return offset >= limit ? Atomics.load(words, index) : offset;',
    'return offset;',
  ),
  mutant('a link is not loaded again in a search', 'skiplist', 'skiplist', 'next = Atomics.load(words, link);', ';'),
  mutant(
    'nodes above the limit end a walk',
    'skiplist',
    'skiplist-path',
    'while (visible >= this.#limit)\n            visible = this.#list.nextNode(visible, this.#limit);',
    'if (visible >= this.#limit)\n            visible = 0;',
  ),
  mutant(
    'nodes above the limit end a walk back',
    'skiplist',
    'skiplist-path',
    'while (visible >= this.#limit)\n            visible = this.#list.prevNode(visible, this.#limit);',
    'if (visible >= this.#limit)\n            visible = 0;',
  ),
  mutant(
    'nodes above the limit are shown',
    'skiplist',
    'skiplist-path',
    'while (visible >= this.#limit)\n            visible = this.#list.nextNode(visible, this.#limit);',
    '',
  ),
  mutant(
    'a version is linked before it is written',
    'skiplist',
    'skiplist',
    'const version = appendVersion(',
    'this.#arena.storeLink(head, this.#arena.tail + 12);\n        const version = appendVersion(',
    'a chain of versions',
  ),
]

/** Rules 1 and 4 for the root of the range tombstones. */
const RANGES: readonly Mutant[] = [
  mutant(
    'the root is stored plainly',
    'radix',
    'range-tombstones',
    'this.#arena.storeLink(RANGES, version);',
    'this.#words[RANGES] = version;',
    'a range tombstone over others',
  ),
  mutant(
    'the root is not loaded again',
    'radix',
    'range-tombstones',
    'newest = Atomics.load(words, RANGES);',
    ';',
    'a range tombstone over others',
  ),
  mutant(
    'a map above the limit is read',
    'radix',
    'range-tombstones',
    'findVersion(words, newest, tagLow, tagHigh, limit);\n    }',
    'findVersion(words, newest, tagLow, tagHigh, 0x7fffffff);\n    }',
    'the first range tombstone',
  ),
  mutant(
    'a node of an older map is changed in place',
    'radix',
    'range-painter',
    'if (node >= this.#fresh)',
    'if (node >= 0)',
    'a range tombstone over others',
  ),
  mutant(
    'a node that has changed is changed again',
    'radix',
    'range-painter',
    'if (!isFree && !isOwn)',
    'if (false)',
    'range tombstones one after another',
  ),
  mutant(
    'an older map follows a change to the left',
    'radix',
    'range-map',
    'if (words[at + SINCE] < version) {\n        const change = words[at + CHANGE];\n        if ((change & CHANGES_RIGHT) === 0)',
    'if (words[at + SINCE] !== UNCHANGED) {\n        const change = words[at + CHANGE];\n        if ((change & CHANGES_RIGHT) === 0)',
    'range tombstones one after another',
  ),
  mutant(
    'an older map follows a change to the right',
    'radix',
    'range-map',
    'if (words[at + SINCE] < version) {\n        const change = words[at + CHANGE];\n        if ((change & CHANGES_RIGHT) !== 0)',
    'if (words[at + SINCE] !== UNCHANGED) {\n        const change = words[at + CHANGE];\n        if ((change & CHANGES_RIGHT) !== 0)',
    'range tombstones one after another',
  ),
]

/** Changes that no reader can notice, and why. The sources stay on the safe side of them. */
export const EQUIVALENT: readonly Mutant[] = [
  // The first number that changed is stored by Atomics.store right after, and who meets that one knows of the tail.
  mutant(
    "a slot's tail is stored by Atomics.store",
    'radix',
    'table-counters',
    SLOT_STORE,
    'arena.storeLink(slot, tail);',
  ),
  // A fan's branches are listed in the order of their places; a branch that is gone when it is followed is passed over.
  mutant(
    'branches of a fan are listed by a plain load',
    'radix',
    'radix-node',
    'if (loadLink(words, link, limit) !== 0)\n            out[end++] = link;',
    'if (words[link] !== 0)\n            out[end++] = link;',
    'a fan gains branches',
  ),
  // A branch listed in the wrong place leads to nothing that is visible; where a search ended was met by the rule.
  mutant(
    'a branch of a node of four is listed by a plain load',
    'radix',
    'radix-node',
    'const unused3 = (loadLink(words, first + 3, limit) - 1) >> 31;',
    'const unused3 = (words[first + 3] - 1) >> 31;',
    'a new key beside others',
  ),
  // Of maps above the limit only the links to older ones are read.
  mutant(
    'the root of a map is stored after its version is linked',
    'radix',
    'range-tombstones',
    'this.#words[(version + VERSION_BYTES) >> 2] = root;\n        this.#arena.storeLink(RANGES, version);',
    'this.#arena.storeLink(RANGES, version);\n        this.#words[(version + VERSION_BYTES) >> 2] = root;',
    'a range tombstone over others',
  ),
]

export const MUTANTS: readonly Mutant[] = [...TABLE, ...RADIX, ...SKIPLIST, ...RANGES]
