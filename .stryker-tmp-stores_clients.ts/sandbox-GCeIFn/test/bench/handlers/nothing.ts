// @ts-nocheck
import type { Verdict } from './event.ts'

/** What Node itself costs. */
export const handler = async (): Promise<Verdict> => ({ status: 'completed' })
