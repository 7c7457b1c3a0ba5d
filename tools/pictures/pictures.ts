/**
 * Pictures: the drawings of docs/memtable.md by file name. What shows a structure is read from a real one, so that a picture
 * that no longer tells the truth differs from its file, which a test notices.
 */
import { arenaPicture, chainPicture, rangesPicture } from './memory-pictures.ts'
import { lifePicture, publicationPicture } from './time-pictures.ts'
import { forkPicture, lookupPicture, radixPicture } from './tree-pictures.ts'

export const PICTURES: Readonly<Record<string, () => string>> = {
  'memtable-arena.svg': arenaPicture,
  'memtable-chain.svg': chainPicture,
  'memtable-radix.svg': radixPicture,
  'memtable-lookup.svg': lookupPicture,
  'memtable-fork.svg': forkPicture,
  'memtable-publication.svg': publicationPicture,
  'memtable-ranges.svg': rangesPicture,
  'memtable-life.svg': lifePicture,
}
