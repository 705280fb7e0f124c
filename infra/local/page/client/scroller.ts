/**
 * The window of the time line: a native scroller as long as the history. The picture stays in place and is drawn for
 * the scroll position. At its end, the scroller follows the election.
 */
import type { Window } from './picture.ts'

/** Pixels per second. */
const ZOOMS = [0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640] as const
const DEFAULT_ZOOM = 6
/** Browsers limit elements to about ten million pixels. */
const MAX_LENGTH_PX = 8_000_000
const AT_END_PX = 4
/** Smooth scrolling continues for a while after the key press. */
const SETTLE_MS = 400
/** The share of the window for the future, in which a lease will expire. */
const MAX_FUTURE = 0.2

export class Scroller {
  readonly #element: HTMLElement
  readonly #spacer: HTMLElement
  readonly #changed: (isScrolling: boolean) => void
  #zoom = DEFAULT_ZOOM
  #isFollowing = true
  /** The left edge of the window, if it does not follow. */
  #fromMs = 0
  /** The left end of the whole scroller. */
  #startMs = 0
  #lengthPx = 0
  /** Set by this class; any other position comes from the user. */
  #placedPx = 0
  /** Movements until then still belong to an earlier key press. */
  #settlesUntil = 0

  /** @param changed asks for a new picture */
  constructor(element: HTMLElement, spacer: HTMLElement, changed: (isScrolling: boolean) => void) {
    this.#element = element
    this.#spacer = spacer
    this.#changed = changed
    element.addEventListener('scroll', () => this.#scrolled())
    new ResizeObserver(() => changed(false)).observe(element)
  }

  get isFollowing(): boolean {
    return this.#isFollowing
  }

  /** The window to draw, for a history from `beganMs` to now. */
  windowFor(beganMs: number, nowMs: number, futureMs: number): Window {
    const element = this.#element
    const [width, scale] = [element.clientWidth, this.#pxPerMs()]
    const endMs = nowMs + Math.min(futureMs, (MAX_FUTURE * width) / scale)
    this.#startMs = Math.max(beganMs, endMs - MAX_LENGTH_PX / scale)
    const lengthPx = Math.max(width, Math.ceil((endMs - this.#startMs) * scale))
    if (lengthPx !== this.#lengthPx) this.#spacer.style.width = `${lengthPx}px`
    this.#lengthPx = lengthPx
    const wantedPx = this.#isFollowing ? lengthPx - width : Math.max(0, (this.#fromMs - this.#startMs) * scale)
    if (Math.abs(element.scrollLeft - wantedPx) >= 1) element.scrollLeft = wantedPx
    this.#placedPx = element.scrollLeft
    this.#fromMs = this.#startMs + this.#placedPx / scale
    return { fromMs: this.#fromMs, toMs: this.#fromMs + width / scale, nowMs, width }
  }

  follow(isFollowing: boolean): void {
    this.#isFollowing = isFollowing
    this.#settlesUntil = isFollowing ? performance.now() + SETTLE_MS : 0
    this.#changed(false)
  }

  /** @param steps positive to zoom in */
  zoom(steps: number): void {
    const half = this.#element.clientWidth / 2
    const middleMs = this.#fromMs + half / this.#pxPerMs()
    this.#zoom = Math.min(ZOOMS.length - 1, Math.max(0, this.#zoom + steps))
    this.#fromMs = middleMs - half / this.#pxPerMs()
    this.#changed(false)
  }

  #pxPerMs(): number {
    return (ZOOMS[this.#zoom] ?? 40) / 1_000
  }

  #scrolled(): void {
    const { scrollLeft, clientWidth } = this.#element
    if (Math.abs(scrollLeft - this.#placedPx) < 1) return
    if (performance.now() < this.#settlesUntil) {
      this.#changed(false)
      return
    }
    this.#placedPx = scrollLeft
    this.#isFollowing = scrollLeft + clientWidth >= this.#lengthPx - AT_END_PX
    this.#fromMs = this.#startMs + scrollLeft / this.#pxPerMs()
    this.#changed(true)
  }
}
