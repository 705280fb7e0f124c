import leven from 'leven'

/** The candidate most like the given name, or undefined where more than `maxDistance` characters differ: about a third. */
export function nearest(
  name: string,
  candidates: readonly string[],
  maxDistance = Math.max(2, Math.floor(name.length / 3)),
): string | undefined {
  if (name.length > 100) return undefined // nobody mistyped that, and the distance takes time by its length
  const distance = (candidate: string) => leven(plain(name), plain(candidate))
  const [best] = candidates.toSorted((a, b) => distance(a) - distance(b))
  return best !== undefined && distance(best) <= maxDistance ? best : undefined
}

/** Spaces, dashes, underscores and capitals are what people get wrong first. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '')
}
