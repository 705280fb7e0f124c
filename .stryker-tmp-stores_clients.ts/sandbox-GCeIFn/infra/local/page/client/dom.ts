/** Changes the parts of the page, and shows the log of a tenure in the dialog. */
// @ts-nocheck

import { Idiomorph } from 'idiomorph'
import { html, type Markup } from '../../../../functions/widget/html.ts'
import type { Step } from '../../observe/tenure-logs.ts'
import type { History } from './history.ts'
import { renderLog, renderLogTitle } from './view.ts'

const shown = new Map<string, string>()

/** An element of `index.html`. */
export function part<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.querySelector<E>(`#${id}`)
  if (element === null) throw new Error(`The page has no part ${id}`)
  return element
}

/** Unchanged elements keep their focus, tooltip and selection, unless all are replaced, which is much faster. */
export function patch(id: string, markup: Markup, keepsElements = true): void {
  const text = markup.toString()
  if (shown.get(id) === text) return
  shown.set(id, text)
  if (!keepsElements) part(id).innerHTML = text
  else Idiomorph.morph(part(id), text, { morphStyle: 'innerHTML', callbacks: { beforeAttributeUpdated: keepsOpen } })
}

/** Details that the user has opened stay open. */
const keepsOpen = (name: string, element: Element): boolean => !(name === 'open' && element.localName === 'details')

const REFRESH_MS = 500

/** The log is updated while its tenure lasts. */
export class LogPanel {
  readonly #dialog = part<HTMLDialogElement>('log')
  readonly #history: () => History
  #shown: number | undefined
  #readRevision = 0

  constructor(history: () => History) {
    this.#history = history
    part('log-close').addEventListener('click', () => this.#dialog.close())
    this.#dialog.addEventListener('close', () => {
      this.#shown = undefined
    })
    setInterval(() => this.#refresh(), REFRESH_MS)
    // A click beside the content hits the dialog itself.
    this.#dialog.addEventListener('click', ({ target }) => {
      if (target === this.#dialog) this.#dialog.close()
    })
  }

  open(tenure: number): void {
    this.#shown = tenure
    void this.#read(tenure)
  }

  /** Reads the log again if anything has happened. */
  #refresh(): void {
    const { revision } = this.#history()
    if (this.#shown === undefined || revision === this.#readRevision) return
    this.#readRevision = revision
    void this.#read(this.#shown)
  }

  async #read(wanted: number): Promise<void> {
    const answer = await fetch(`tenures/${wanted}`).catch(() => undefined)
    const log: readonly Step[] | string =
      answer === undefined ? 'The run does not answer' : answer.ok ? await answer.json() : await answer.text()
    if (this.#shown !== wanted) return
    const shown = this.#history().numbered.get(wanted)
    patch('log-title', shown === undefined ? html`Log` : renderLogTitle(shown))
    patch('log-body', typeof log === 'string' ? html`<p>${log}.</p>` : renderLog(log))
    if (!this.#dialog.open) this.#dialog.showModal()
  }
}
