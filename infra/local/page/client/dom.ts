/** The parts of the page, and how they change: what stays the same keeps its focus, its tooltip and whatever is selected in it. */
import { Idiomorph } from 'idiomorph'
import type { Markup } from '../../../../functions/widget/html.ts'

const shown = new Map<string, string>()

/** The element of this id, which `index.html` has. */
export function part<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.querySelector<E>(`#${id}`)
  if (element === null) throw new Error(`The page has no part ${id}`)
  return element
}

/** Makes the part contain just this. */
export function patch(id: string, markup: Markup): void {
  const text = markup.toString()
  if (shown.get(id) === text) return
  shown.set(id, text)
  Idiomorph.morph(part(id), text, { morphStyle: 'innerHTML', callbacks: { beforeAttributeUpdated: keepsOpen } })
}

/** The same with far less work, for what moves under the pointer anyway: nothing of the part stays. */
export function replace(id: string, markup: Markup): void {
  const text = markup.toString()
  if (shown.get(id) === text) return
  shown.set(id, text)
  part(id).innerHTML = text
}

/** Whoever opened a part of a story wants it to stay open. */
const keepsOpen = (name: string, element: Element): boolean => !(name === 'open' && element.localName === 'details')
