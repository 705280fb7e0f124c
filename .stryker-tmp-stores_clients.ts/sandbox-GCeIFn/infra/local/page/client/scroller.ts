/**
 * The window of the time line: a native scroller as long as the history. The picture stays in place and is drawn for
 * the scroll position. At its end, the scroller follows the election.
 */
// @ts-nocheck

import type { Window } from './picture.ts'

/** Pixels per millisecond. */
const [MIN_SCALE, DEFAULT_SCALE, MAX_SCALE] = [0.000625, 0.04, 0.64] as const
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
  #scale: number = DEFAULT_SCALE
  isFollowing = true
  /** The left edge of the window, if it does not follow. */
  #fromMs = 0
  /** The left end of the whole scroller. */
  #startMs = 0
  #lengthPx = 0
  /** Set by this class; any other position comes from the user. */
  #placedPx = 0
  /** Movements until then still belong to an earlier key press. */
  #settlesUntil = 0

  constructor(element: HTMLElement, spacer: HTMLElement, changed: (isScrolling: boolean) => void) {
    this.#element = element
    this.#spacer = spacer
    this.#changed = changed
    element.addEventListener('scroll', () => this.#scrolled())
    new ResizeObserver(() => changed(false)).observe(element)
  }

  windowFor(beganMs: number, nowMs: number, futureMs: number): Window {
    const element = this.#element
    const [width, scale] = [element.clientWidth, this.#scale]
    const endMs = nowMs + Math.min(futureMs, (MAX_FUTURE * width) / scale)
    this.#startMs = Math.max(beganMs, endMs - MAX_LENGTH_PX / scale)
    const lengthPx = Math.max(width, Math.ceil((endMs - this.#startMs) * scale))
    if (lengthPx !== this.#lengthPx) this.#spacer.style.width = `${lengthPx}px`
    this.#lengthPx = lengthPx
    const wantedPx = this.isFollowing ? lengthPx - width : Math.max(0, (this.#fromMs - this.#startMs) * scale)
    if (Math.abs(element.scrollLeft - wantedPx) >= 1) element.scrollLeft = wantedPx
    this.#placedPx = element.scrollLeft
    this.#fromMs = this.#startMs + this.#placedPx / scale
    return { fromMs: this.#fromMs, toMs: this.#fromMs + width / scale, nowMs, width }
  }

  follow(isFollowing: boolean): void {
    this.isFollowing = isFollowing
    this.#settlesUntil = isFollowing ? performance.now() + SETTLE_MS : 0
    this.#changed(false)
  }

  /** @param steps doublings, negative to zoom out */
  zoom(steps: number): void {
    const half = this.#element.clientWidth / 2
    const middleMs = this.#fromMs + half / this.#scale
    this.#scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, this.#scale * 2 ** steps))
    this.#fromMs = middleMs - half / this.#scale
    this.#changed(false)
  }

  #scrolled(): void {
    const { scrollLeft, clientWidth } = this.#element
    if (Math.abs(scrollLeft - this.#placedPx) < 1) return
    if (performance.now() < this.#settlesUntil) {
      this.#changed(false)
      return
    }
    this.#placedPx = scrollLeft
    this.isFollowing = scrollLeft + clientWidth >= this.#lengthPx - AT_END_PX
    this.#fromMs = this.#startMs + scrollLeft / this.#scale
    this.#changed(true)
  }
}
