import type { CronOptionsWithTimezone } from 'aws-cdk-lib/aws-scheduler'

const DAY_MINUTES = 24 * 60

/**
 * The shortest time between two ticks of one day, or from the last of a day to the first of the next, in minutes;
 * undefined for expressions that are not understood here. Which days it ticks on can only make it longer.
 *
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
 */
export function shortestGapMinutes({ minute = '*', hour = '*' }: CronOptionsWithTimezone): number | undefined {
  const minutes = valuesOf(minute, 60)
  const hours = valuesOf(hour, 24)
  if (minutes === undefined || hours === undefined) return undefined
  const ticks = hours.flatMap((h) => minutes.map((m) => 60 * h + m)).sort((a, b) => a - b)
  const [first = 0] = ticks
  const gaps = ticks.map((tick, index) => (ticks[index + 1] ?? first + DAY_MINUTES) - tick)
  return Math.min(...gaps)
}

/** Of `*`, `5`, `0,30`, `8-18`, `0/15` and lists of them; undefined for anything else. */
function valuesOf(field: string, size: number): number[] | undefined {
  const values = new Set<number>()
  for (const part of field.split(',')) {
    const [, from = '', to, step] = /^(\*|\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(part) ?? []
    const first = from === '*' ? 0 : Number(from)
    const last = to !== undefined ? Number(to) : from === '*' || step !== undefined ? size - 1 : first
    const by = Number(step ?? 1)
    if (from === '' || last >= size || first > last || by < 1) return undefined
    for (let value = first; value <= last; value += by) values.add(value)
  }
  return [...values]
}
