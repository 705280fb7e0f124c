// @ts-nocheck
import type { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { expect, test } from 'vitest'
import { STANDBY_REASONS } from '../../functions/election/rules.ts'
import {
  LeadershipAlarms,
  LeadershipDashboard,
  LeadershipEvents,
  LeaseTable,
  StandingElection,
} from '../../infra/constructs/index.ts'
import { elect, refusal, stackWithTable } from '../support/cdk-app.ts'

interface Widget {
  readonly type: string
  readonly properties: Readonly<Record<string, unknown>>
}

function dashboard(leases: readonly string[], withAlarms = false) {
  const { stack, leaseTable } = stackWithTable()
  const schedules = leases.map((lease, index) => elect(stack, `S${index}`, leaseTable, lease))
  const events = new LeadershipEvents(stack, 'Events', { leaseTable })
  const alarms = withAlarms ? new LeadershipAlarms(stack, 'Alarms', { events, schedules }) : undefined
  new LeadershipDashboard(stack, 'Dashboard', { schedules, alarms })
  return contentOf(stack)
}

function contentOf(stack: Stack) {
  const template = Template.fromStack(stack)
  const [parts] = Object.values(template.findResources('AWS::CloudWatch::Dashboard')).map(
    ({ Properties }) => Properties.DashboardBody['Fn::Join'][1],
  )
  const body: string = parts.map((part: unknown) => (typeof part === 'string' ? part : 'REFERENCE')).join('')
  const widgets: readonly Widget[] = JSON.parse(body).widgets
  return { body, widgets }
}

const LEASES = ['billing', 'team/reports']
const usual = dashboard(LEASES)

test('the dashboard draws its leases', () => {
  expect(usual.widgets.find(({ type }) => type === 'custom')?.properties).toMatchObject({
    params: { leases: LEASES },
    updateOn: { refresh: true, resize: true, timeRange: true },
  })
})

test.each(['ticksCompleted', 'ticksFailed', 'takeover', 'tickDuration', 'elected', 'lost', 'clockSkew'])(
  'graphs %s of each lease, and standbys by their reason',
  (metric) => {
    for (const lease of LEASES) {
      expect(usual.body).toContain(`["Tenure","${metric}","lease","${lease}","table","REFERENCE",`)
    }
    for (const reason of STANDBY_REASONS) expect(usual.body).toContain(`"lease","billing","reason","${reason}",`)
  },
)

test('the dashboard shows the states of alarms if given, at most 100 per widget', () => {
  const alarmsIn = (widgets: readonly Widget[]) =>
    widgets.filter(({ type }) => type === 'alarm').map(({ properties }) => [properties['alarms']].flat().length)
  const leases = Array.from({ length: 21 }, (_, index) => `lease-${index}`)
  expect(alarmsIn(usual.widgets)).toEqual([])
  expect(alarmsIn(dashboard(leases, true).widgets)).toEqual([100, 6])
})

test('a dashboard of standing elections alone graphs takeovers, but no ticks', () => {
  const { stack, leaseTable } = stackWithTable()
  const elections = [new StandingElection(stack, 'Election', { leaseTable, lease: 'scheduler' })]
  new LeadershipDashboard(stack, 'Dashboard', { elections })
  const { body, widgets } = contentOf(stack)
  expect(body).toContain('["Tenure","takeover","lease","scheduler",')
  expect(body).not.toMatch(/ticks[A-Z]|tickDuration/)
  expect(widgets.filter(({ type }) => type === 'metric')).toHaveLength(4)
})

test('the dashboard is refused without a schedule, and for two tables', () => {
  expect(() => dashboard([])).toThrow(
    refusal('Stack/Dashboard: `schedules` and `elections` have 0 leases; give 1 to 50'),
  )
  const { stack, leaseTable } = stackWithTable()
  const schedules = [elect(stack, 'One', leaseTable), elect(stack, 'Two', new LeaseTable(stack, 'Others'))]
  expect(() => new LeadershipDashboard(stack, 'Both', { schedules })).toThrow(
    refusal('Stack/Both: Stack/Two has another lease table than Stack/One; make a dashboard for each table'),
  )
})
