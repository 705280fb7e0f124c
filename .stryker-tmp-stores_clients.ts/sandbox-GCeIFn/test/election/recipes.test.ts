/** Recipes for schedulers of servers, as docs/servers.md shows them. */
// @ts-nocheck

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { setTestDefaults } from '../../functions/election/defaults.ts'
import { type ElectionEvent, MemoryLeaseStore } from '../../functions/election/index.ts'
import { start } from './recipes/croner.ts'
import { Reports } from './recipes/nest.ts'

const textOf = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')

it.each(['nest', 'croner'])('%s is the code that is tested here, but for decorators and imports', (name) => {
  const [, shown = ''] =
    new RegExp(`^\`\`\`ts ${name}\\n(.*?)^\`\`\``, 'ms').exec(textOf('../../docs/servers.md')) ?? []
  const code = (text: string) => text.replaceAll(/^(import .*| *@.*)?\n/gm, '')
  expect(code(shown)).toBe(code(textOf(`recipes/${name}.ts`)))
})

afterEach(() => {
  setTestDefaults()
  vi.useRealTimers()
})

it('nest: one instance writes a report, and the first one after an outage those that were missed', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-21T03:00:00.010Z') })
  setTestDefaults({ store: new MemoryLeaseStore() })
  const [fast, late] = [new Reports(), new Reports()]
  await fast.nightly()
  vi.setSystemTime('2026-11-21T03:02:00Z')
  expect(await late.nightly()).toMatchObject({ status: 'standby', reason: 'tickDone' })
  vi.setSystemTime('2026-11-23T03:00:00Z')
  await late.nightly()
  const days = (reports: Reports) => reports.written.map((tick) => tick.slice(0, 10))
  expect([days(fast), days(late)]).toEqual([['2026-11-21'], ['2026-11-22', '2026-11-23']])
})

it('croner: three instances run each slot once', async () => {
  const elected: unknown[] = []
  const onEvent = (event: ElectionEvent) => void (event.kind === 'elected' && elected.push(event.tick))
  setTestDefaults({ store: new MemoryLeaseStore({ tables: { Reminders: 'slot' } }), onEvent })
  const jobs = [0, 1, 2].map(() => start('* * * * * *'))
  await expect.poll(() => elected.length).toBeGreaterThan(2)
  for (const job of jobs) job.stop()
  expect(elected).toEqual([...new Set(elected)])
  expect(elected.every((tick) => String(tick).endsWith('.000Z'))).toBe(true)
})
