/** Changes the parts of the page; unchanged elements keep their focus, tooltip and selection. */
import { Idiomorph } from 'idiomorph'
import type { Markup } from '../../../../functions/widget/html.ts'

const shown = new Map<string, string>()

/** An element of `index.html`. */
export function part<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.querySelector<E>(`#${id}`)
  if (element === null) throw new Error(`The page has no part ${id}`)
  return element
}

/** @param keepsElements false is much faster: all elements are replaced */
export function patch(id: string, markup: Markup, keepsElements = true): void {
  const text = markup.toString()
  if (shown.get(id) === text) return
  shown.set(id, text)
  if (!keepsElements) part(id).innerHTML = text
  else Idiomorph.morph(part(id), text, { morphStyle: 'innerHTML', callbacks: { beforeAttributeUpdated: keepsOpen } })
}

/** Details that the user has opened stay open. */
const keepsOpen = (name: string, element: Element): boolean => !(name === 'open' && element.localName === 'details')
