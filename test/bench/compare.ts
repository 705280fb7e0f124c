const ROUNDS = 3

/** Measures each size in turn, in several rounds, and prints the best of each and their ratio. */
export async function compareSizes(
  sizes: readonly [few: number, many: number],
  measure: (size: number) => Promise<number>,
  unit: string,
): Promise<void> {
  const best = new Map<number, number>()
  for (let round = 1; round <= ROUNDS; round++) {
    for (const size of sizes) {
      const ms = await measure(size)
      best.set(size, Math.min(ms, best.get(size) ?? ms))
      console.log(`round ${round}: ${String(size).padStart(6)} ${unit}: ${ms.toFixed(2)} ms`)
    }
  }
  const [few = Number.NaN, many = Number.NaN] = sizes.map((size) => best.get(size))
  console.log(`best of ${ROUNDS}: ${few.toFixed(2)} and ${many.toFixed(2)} ms; ratio: ${(many / few).toFixed(2)}`)
}
