/** The sheet at the side with the story of one tenure, which goes on while the tenure does. */
import { html } from '../../../../functions/widget/html.ts'
import type { Story } from '../../observe/stories.ts'
import { part, patch } from './dom.ts'
import type { History, Tenure } from './history.ts'
import { renderFailure, renderStory, renderStoryTitle } from './story.ts'

export interface StoryPanel {
  /** @param number of the tenure */
  open(number: number): void
  openFailure(invocation: string): void
  /** Something has happened, perhaps in the tenure that is shown. */
  historyChanged(): void
}

const REFRESH_MS = 500

export function createStoryPanel(historyNow: () => History): StoryPanel {
  const dialog = part<HTMLDialogElement>('story')
  let shown: number | undefined
  let isDue = false

  const show = async (wanted: number) => {
    const answer = await fetch(`tenures/${wanted}`).catch(() => undefined)
    if (shown !== wanted) return
    const tenure = historyNow().byNumber.get(wanted)
    patch('story-title', tenure === undefined ? html`Tenure ${wanted}` : renderStoryTitle(tenure))
    if (answer === undefined) return patch('story-body', html`<p>The run does not answer any more.</p>`)
    if (!answer.ok) return patch('story-body', html`<p>${await answer.text()}.</p>`)
    const story: Story = await answer.json()
    if (shown === wanted) patch('story-body', renderStory(tenure, story))
  }

  /** A tenure that is over changes no more, but for what comes late. */
  let told = ''
  const isNews = (tenure: Tenure) => {
    const now = JSON.stringify(tenure)
    const isNew = now !== told || tenure.doneAtMs === undefined
    told = now
    return isNew
  }

  part('story-close').addEventListener('click', () => dialog.close())
  dialog.addEventListener('close', () => {
    shown = undefined
  })
  // Beside the sheet is the page: a click there closes the sheet.
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog) dialog.close()
  })

  return {
    open: (wanted) => {
      shown = wanted
      patch('story-title', html`Tenure ${wanted}`)
      patch('story-body', html`<p>Reading …</p>`)
      if (!dialog.open) dialog.showModal()
      void show(wanted)
    },
    openFailure: (invocation) => {
      const failed = historyNow().failedTries.find((one) => one.invocation === invocation)
      if (failed === undefined) return
      shown = undefined
      const { title, body } = renderFailure(failed)
      patch('story-title', title)
      patch('story-body', body)
      if (!dialog.open) dialog.showModal()
    },
    historyChanged: () => {
      const wanted = shown
      const tenure = wanted === undefined ? undefined : historyNow().byNumber.get(wanted)
      if (wanted === undefined || isDue || tenure === undefined || !isNews(tenure)) return
      isDue = true
      setTimeout(() => {
        isDue = false
        if (shown === wanted) void show(wanted)
      }, REFRESH_MS)
    },
  }
}
