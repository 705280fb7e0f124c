/** One server as a process: it stands for a lease until it is killed, and hands over when it is asked to. */
// @ts-nocheck

import { once } from 'node:events'
import { Election } from '../../functions/election/index.ts'

const { NAME = '' } = process.env
const election = new Election({ candidate: NAME, maxClockSkewMs: 1_000 })
process.on('disconnect', () => process.exit())
process.on('message', ({ to }: { readonly to?: string }) => void election.resign(to === undefined ? {} : { to }))
for await (const { signal } of election.campaign()) {
  process.send?.({ leadsAtMs: Date.now() })
  if (!signal.aborted) await once(signal, 'abort')
}
