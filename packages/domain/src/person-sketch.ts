/*
 * A sketch counts different people in a fixed number of bits, however often each of them is named: a multiresolution bitmap
 * (Estan, Varghese, Fisk: "Bitmap Algorithms for Counting Active Flows on High-Speed Links", 2006). Sketches
 * of several minutes or processes are joined by OR. Half of the people fall into the first level, a quarter into
 * the second, and so on; the last one has the rest.
 */

const levels = 10
const bitsPerLevel = 256

/** Bits of a sketch. */
export const sketchBits = levels * bitsPerLevel

/** A level with fewer bits free than these is too full to be counted by. */
const freeMin = bitsPerLevel / 10

/** The bit of a person, from 0 on. `personKey`: a person's number, or minus that of a device without a person. */
export function sketchSlotOf(personKey: number): number {
  const low = mix(personKey >>> 0)
  const high = mix(low ^ (Math.floor(personKey / 2 ** 32) >>> 0))
  const level = Math.min(levels - 1, Math.clz32(high))
  return level * bitsPerLevel + (mix(high ^ low) & (bitsPerLevel - 1))
}

/**
 * How many different people a sketch has seen, exact to one for some twenty and to about a tenth for
 * many. null: more than it can tell, some 500,000.
 *
 * @param sketch `0` and `1`, `sketchBits` of them
 */
export function peopleInSketch(sketch: string): number | null {
  const free = Array.from({ length: levels }, (_, level) => freeBitsOf(sketch, level))
  const base = free.findIndex((bits) => bits >= freeMin)
  if (base < 0) return null
  const sampled = free
    .slice(base)
    .reduce((sum, bits) => sum - bitsPerLevel * Math.log(Math.max(1, bits) / bitsPerLevel), 0)
  return Math.round(sampled * 2 ** base)
}

function freeBitsOf(sketch: string, level: number): number {
  let free = 0
  for (let bit = level * bitsPerLevel; bit < (level + 1) * bitsPerLevel; bit += 1) {
    if (sketch[bit] !== '1') free += 1
  }
  return free
}

/** The last step of MurmurHash3, which is in the public domain: each bit of the result depends on all given ones. */
function mix(word: number): number {
  let hash = word + 0x9e3779b9
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
