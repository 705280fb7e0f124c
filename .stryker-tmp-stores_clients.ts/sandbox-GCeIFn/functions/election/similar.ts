// @ts-nocheck
import leven from 'leven'

/** Computing the distance of longer names would take long. */
const LONGEST_NAME = 60

export interface Similarity {
  /** Names that mean one of the known ones, however different they look. */
  readonly synonyms?: Readonly<Record<string, string>>
  /** How many letters may differ. @default any number */
  readonly furthest?: number
}

/** The known name that was probably meant. Case, spaces, `_` and `-` make no difference. */
export function similar(
  name: string,
  known: readonly string[],
  { synonyms = {}, furthest = Number.POSITIVE_INFINITY }: Similarity = {},
): string | undefined {
  const synonym = Object.hasOwn(synonyms, name) ? synonyms[name] : undefined
  if (synonym !== undefined && known.includes(synonym)) return synonym
  const letters = (of: string) =>
    of
      .slice(0, LONGEST_NAME)
      .toLowerCase()
      .replaceAll(/[\s_-]/g, '')
  const distance = (candidate: string) => leven(letters(name), letters(candidate))
  const [nearest] = known.toSorted((a, b) => distance(a) - distance(b))
  return nearest !== undefined && distance(nearest) <= furthest ? nearest : undefined
}
