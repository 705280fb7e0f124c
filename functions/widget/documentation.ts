import { MOST_LEASES } from './request.ts'

/** What the console shows of the widget's parameters where somebody edits it. */
export const DOCUMENTATION = `## Leases
Who leads each lease, until when, what was completed last, and a time line of the last tenures.

### Widget parameters
Parameter | Description
---|---
**leases** | Names of the leases to show, 1 to ${MOST_LEASES}. Only those that the function's role permits can be read.

The time line shows the time range of the dashboard; where no tenure lies in it, the last tenures that are known.

### Example parameters
\`\`\` yaml
leases:
  - billing
  - report/nightly
\`\`\`
`
