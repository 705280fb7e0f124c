/** Sends what somebody does to the election, and says where it cannot be done. */
import { html } from '../../../../functions/widget/html.ts'
import { patch } from './dom.ts'

/** Buttons carry their act in `data-act`; the choices of a clock name their candidate in `data-skew`. */
export function sendActs(): void {
  document.addEventListener('click', ({ target }) => {
    const act = target instanceof Element ? target.closest<HTMLElement>('[data-act]')?.dataset['act'] : undefined
    if (act !== undefined) void send(act)
  })
  document.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLSelectElement)) return
    const candidate = target.dataset['skew']
    if (candidate === undefined) return
    const act = { do: 'skewClock', candidate: Number(candidate), ms: Number(target.value) }
    void send(JSON.stringify(act)).then((isDone) => isDone || reset(target))
  })
}

/** Shows again what is, not what was asked for. */
function reset({ options }: HTMLSelectElement): void {
  for (const option of options) option.selected = option.defaultSelected
}

/** @returns whether it was done */
async function send(body: string): Promise<boolean> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch('acts', { method: 'POST', headers, body }).catch(() => undefined)
  patch('refusal', html`${await refusalOf(answer)}`)
  return answer?.ok === true
}

async function refusalOf(answer: Response | undefined): Promise<string> {
  if (answer === undefined) return 'The run does not answer.'
  return answer.ok ? '' : `${await answer.text()}.`
}
