/** Reads the page: the time line from its shapes, the counters and the table. */
// @ts-nocheck

import type { Page } from 'playwright-core'

export interface DrawnLane {
  readonly name: string
  readonly bars: readonly DrawnBar[]
  /** Their tooltips. */
  readonly marks: readonly string[]
}

export interface DrawnBar {
  /** The number of its tenure; empty if several tenures are drawn as one bar. */
  readonly id: string
  readonly title: string
}

export async function lanesOf(page: Page): Promise<readonly DrawnLane[]> {
  const lanes = page.locator('#picture svg > g:has(> g:first-child > title)')
  const drawn: readonly (readonly (DrawnBar & { readonly isMark: boolean })[])[] = await lanes.evaluateAll((all) =>
    all.map((lane) =>
      [...lane.querySelectorAll(':scope > g')].map((shape) => ({
        title: shape.querySelector(':scope > title').textContent,
        id: shape.getAttribute('data-bar') ?? '',
        isMark: shape.hasAttribute('transform'),
      })),
    ),
  )
  return drawn
    .map(([name, ...shapes]) => ({
      name: name?.title ?? '',
      bars: shapes.filter(({ isMark }) => !isMark).map(({ id, title }) => ({ id, title })),
      marks: shapes.filter(({ isMark }) => isMark).map(({ title }) => title),
    }))
    .filter(({ name }) => !name.startsWith('now, '))
}

/** The lane with this name; an empty one if there is none. */
export async function laneOf(page: Page, name: string): Promise<DrawnLane> {
  return (await lanesOf(page)).find((one) => one.name === name) ?? { name: '', bars: [], marks: [] }
}

/** The tooltips of all lanes, one per line. */
export async function allOf(page: Page, what: 'bars' | 'marks'): Promise<string> {
  const lanes = await lanesOf(page)
  const titles = lanes.flatMap(({ bars, marks }) => (what === 'bars' ? bars.map(({ title }) => title) : marks))
  return titles.map((title) => title.replaceAll('\n', '; ')).join('\n')
}

export const focused = (page: Page) => page.evaluate('document.activeElement.id')

/** How far the time line is scrolled, in pixels. */
export const scrollLeft = (page: Page): Promise<number> => page.locator('#scroller').evaluate((it) => it.scrollLeft)

export const isFollowing = (page: Page) => page.getAttribute('#follow', 'aria-pressed')

/** A counter, such as `Ticks`. */
export async function counterOf(page: Page, name: string): Promise<number> {
  const [, value = ''] = new RegExp(`${name}\\s*(\\d+)`).exec(await page.locator('#counters').innerText()) ?? []
  return value === '' ? Number.NaN : Number(value)
}

/** The rows of the table of tenures: the token, or `none`, and the other cells. */
export async function rowsOf(page: Page): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await page
    .locator('#tenures tbody tr')
    .evaluateAll((all) => all.map((row) => [row.id, ...[...row.children].map((cell) => cell.textContent ?? '')]))
  return new Map(rows.map(([id = '', ...cells]) => [id, cells]))
}
