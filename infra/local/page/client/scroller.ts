/**
 * The time line's window: a native scroller as long as the history, in which the picture stands still and is drawn anew for
 * wherever one is. At its end it follows what happens.
 */
import type { Window } from './picture.ts'

export interface Scroller {
  /** What is to be drawn now, of a history from here to now, and so much of the future as there is room for. */
  windowFor(beganMs: number, nowMs: number, futureMs: number): Window
  isFollowing(): boolean
  follow(isFollowing: boolean): void
  /** Above 0, closer. */
  zoom(steps: number): void
}

/** Pixels a second. */
const ZOOMS = [0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640] as const
const DEFAULT_ZOOM = 6
/** Browsers make nothing longer than some ten million pixels: what is older needs a longer window. */
const LONGEST_PX = 8_000_000
const AT_END_PX = 4
/** Browsers scroll smoothly: a movement goes on for a while after the key that began it. */
const SETTLE_MS = 400
/** Of the window, in which a lease is going to run out. */
const MOST_FUTURE = 0.2

/** @param changed whether the user has scrolled, or something else asks for a new picture */
export function createScroller(
  element: HTMLElement,
  spacer: HTMLElement,
  changed: (isScrolling: boolean) => void,
): Scroller {
  let zoom = DEFAULT_ZOOM
  let isFollowing = true
  /** The left edge, where it does not follow. */
  let fromMs = 0
  /** The left end of the scroller, and how long it is. */
  let startMs = 0
  let lengthPx = 0
  /** Where it was put: scrolling from there is the user's. */
  let placedPx = 0
  /** Until then a movement is what is left of an earlier one. */
  let settlesUntil = 0

  const pxPerMs = () => (ZOOMS[zoom] ?? 40) / 1_000

  element.addEventListener('scroll', () => {
    if (Math.abs(element.scrollLeft - placedPx) < 1) return
    if (performance.now() < settlesUntil) return changed(false)
    placedPx = element.scrollLeft
    isFollowing = placedPx + element.clientWidth >= lengthPx - AT_END_PX
    fromMs = startMs + placedPx / pxPerMs()
    changed(true)
  })
  new ResizeObserver(() => changed(false)).observe(element)

  const windowFor: Scroller['windowFor'] = (beganMs, nowMs, futureMs) => {
    const [width, scale] = [element.clientWidth, pxPerMs()]
    const endMs = nowMs + Math.min(futureMs, (MOST_FUTURE * width) / scale)
    startMs = Math.max(beganMs, endMs - LONGEST_PX / scale)
    const neededPx = Math.max(width, Math.ceil((endMs - startMs) * scale))
    if (neededPx !== lengthPx) {
      lengthPx = neededPx
      spacer.style.width = `${lengthPx}px`
    }
    const wantedPx = isFollowing ? lengthPx - width : Math.max(0, (fromMs - startMs) * scale)
    if (Math.abs(element.scrollLeft - wantedPx) >= 1) element.scrollLeft = wantedPx
    placedPx = element.scrollLeft
    fromMs = startMs + placedPx / scale
    return { fromMs, toMs: fromMs + width / scale, nowMs, width }
  }

  return {
    windowFor,
    isFollowing: () => isFollowing,
    follow: (wanted) => {
      isFollowing = wanted
      settlesUntil = wanted ? performance.now() + SETTLE_MS : 0
      changed(false)
    },
    zoom: (steps) => {
      const half = element.clientWidth / 2
      const middleMs = fromMs + half / pxPerMs()
      zoom = Math.min(ZOOMS.length - 1, Math.max(0, zoom + steps))
      fromMs = middleMs - half / pxPerMs()
      changed(false)
    },
  }
}
