/** What was asked and answered in each tenure, kept for whoever wants to read it, the last ones only. */

export interface Step {
  /** Epoch milliseconds. */
  readonly atMs: number
  /** What is asked, or what happens. */
  readonly words: string
  /** What was sent, as JSON. */
  readonly request?: unknown
  /** What became of it, in words; absent while nothing has come back. */
  came?: string
  tookMs?: number
  /** What was answered, as JSON. */
  answer?: unknown
  /** Done by whoever sits before the page. */
  readonly isByHand?: boolean
  /** Where an error was thrown, and what was logged, a line each. */
  readonly trace?: readonly string[] | undefined
}

export interface Story {
  readonly steps: readonly Step[]
  /** So many were left out before the step of this place, for there were too many. */
  readonly leftOut: number
  readonly gapAt: number
}

export interface Stories {
  /** @param steps those from before it was known that this try would lead */
  begin(tenure: number, steps: readonly Step[]): void
  note(tenure: number, step: Step): void
  /** Undefined for a tenure that is not kept any more, or never was. */
  get(tenure: number): Story | undefined
}

/** Bounds what a run that lasts for days keeps in memory: 30 steps, each with a kilobyte of JSON, are usual. */
const KEPT_STORIES = 200
const KEPT_STEPS_OF_ALL = 10_000
const KEPT_STEPS = 300
/** The last of them tell how it ended: they are kept whatever was before. */
const KEPT_LAST_STEPS = 100

export function createStories(): Stories {
  const stories = new Map<number, { steps: Step[]; leftOut: number; gapAt: number }>()
  let kept = 0

  const forget = () => {
    for (const [tenure, { steps }] of stories) {
      if (stories.size <= KEPT_STORIES && kept <= KEPT_STEPS_OF_ALL) return
      stories.delete(tenure)
      kept -= steps.length
    }
  }

  return {
    begin: (tenure, steps) => {
      stories.set(tenure, { steps: [...steps], leftOut: 0, gapAt: KEPT_STEPS - KEPT_LAST_STEPS })
      kept += steps.length
      forget()
    },
    note: (tenure, step) => {
      const story = stories.get(tenure)
      if (story === undefined) return
      story.steps.push(step)
      if (story.steps.length <= KEPT_STEPS) {
        kept += 1
        forget()
      } else {
        story.steps.splice(story.gapAt, 1)
        story.leftOut += 1
      }
    },
    get: (tenure) => stories.get(tenure),
  }
}

/** What a story shows of JSON: a request of DynamoDB's may have megabytes. */
const SHOWN_LETTERS = 4_000

/** @param text the same as JSON, where it is there already */
export function shownJson(value: unknown, text = JSON.stringify(value)): unknown {
  if (text.length <= SHOWN_LETTERS) return value
  return { beginning: text.slice(0, SHOWN_LETTERS), leftOut: `${text.length - SHOWN_LETTERS} letters` }
}
