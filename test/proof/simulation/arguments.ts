import { Command, InvalidArgumentError } from 'commander'

export interface Arguments {
  /** The seeds to live through, in this order. */
  readonly seeds: readonly number[]
  /** And then these, which nobody has lived through before. */
  readonly fresh: readonly number[]
  readonly ticks: number | undefined
  readonly faults: ReadonlySet<number> | undefined
  readonly print: boolean
  /** Whether every history goes through all layers of the AWS SDK. */
  readonly wholeSdk: true | undefined
  /** Whether to look for the shortest history that breaks what the first one broke. */
  readonly shrink: boolean
  /** So many histories that every rare situation must come about. */
  readonly isFull: boolean
  readonly json: string | undefined
}

/** More than 20,000 ticks with faults in a good minute of one core, and a third of that. */
const FULL = 1_100
const QUICK = 300
const QUICK_FRESH = 60
const MOST_SEED = 2 ** 48

/** Exits with 2 where the arguments cannot be read. */
export function readArguments(argv: readonly string[], freshSeed: () => number): Arguments {
  const command = new Command('npm run simulate --')
    .description(
      'Lives through histories of candidates, with faults, in simulated time, and looks whether every claim holds.',
    )
    .option('--seeds <n>', 'how many histories', oneAtLeast)
    .option('--from <seed>', 'the first seed', wholeNumber, 1)
    .option('--seed <n>', 'just this history', wholeNumber)
    .option('--ticks <k>', 'with --seed: so many ticks', oneAtLeast)
    .option('--faults <list>', 'with --seed: of its faults only these, like 3,17; none where empty', faultList)
    .option('--print', 'with --seed: print the history', false)
    .option('--no-shrink', 'show the first history that breaks a claim as it is')
    .option('--whole-sdk', 'every history through all of the AWS SDK, not just each 32nd: slower, with the same result')
    .option('--quick', 'fewer histories, a part of them from fresh seeds', false)
    .option('--json <file>', 'write what was found as JSON')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  const options = command.parse(argv).opts<Options>()
  const { seed, ticks, faults, print, wholeSdk, shrink, quick, json } = options
  if (seed === undefined && (ticks !== undefined || faults !== undefined || print)) {
    command.error('error: --ticks, --faults and --print go with --seed')
  }
  if (seed !== undefined && (quick || options.seeds !== undefined)) command.error('error: --seed is one history alone')
  if (quick && options.seeds !== undefined) command.error('error: --quick says how many histories')
  const common = { fresh: [], ticks, faults, print, wholeSdk, shrink, json }
  if (seed !== undefined) return { ...common, seeds: [seed], isFull: false }
  if (quick) {
    const fresh = Array.from({ length: QUICK_FRESH }, freshSeed)
    return { ...common, seeds: upFrom(options.from, QUICK), fresh, isFull: false }
  }
  return { ...common, seeds: upFrom(options.from, options.seeds ?? FULL), isFull: (options.seeds ?? FULL) >= FULL }
}

interface Options {
  readonly seeds?: number
  readonly from: number
  readonly seed?: number
  readonly ticks?: number
  readonly faults?: ReadonlySet<number>
  readonly print: boolean
  readonly wholeSdk?: true
  readonly shrink: boolean
  readonly quick: boolean
  readonly json?: string
}

function upFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, nth) => first + nth)
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text) && Number(text) <= MOST_SEED) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}

function oneAtLeast(text: string): number {
  if (wholeNumber(text) > 0) return Number(text)
  throw new InvalidArgumentError('It must be 1 at least.')
}

function faultList(text: string): ReadonlySet<number> {
  return new Set(
    text
      .split(',')
      .filter((part) => part !== '')
      .map(wholeNumber),
  )
}
