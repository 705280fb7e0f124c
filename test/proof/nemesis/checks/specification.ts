/** The sequential specification of the lease row: the shipped rules. */
import * as rules from '../../../../functions/election/rules.ts'
import type { Label } from '../history.ts'

/** What is asked of the lease row; all else is about the row that the lease protects. */
export type OnLeaseRow = Extract<Label, { as: 'acquire' | 'write' | 'giveBack' | 'guard' }>

export function isOnLeaseRow(label: Label): label is OnLeaseRow {
  return label.as === 'acquire' || label.as === 'write' || label.as === 'giveBack' || label.as === 'guard'
}

export function replyTo(record: rules.LeaseRecord | undefined, label: OnLeaseRow): rules.Reply {
  switch (label.as) {
    case 'acquire':
      return rules.acquire(record, label.request)
    case 'write':
      return rules.write(record, label.request)
    case 'giveBack':
      return rules.giveBack(record, label.request)
    case 'guard':
      return rules.isHeldBy(record, label.tenure) ? { granted: true, record } : { granted: false, record }
  }
}
