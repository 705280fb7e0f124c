// @ts-nocheck
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { leaseNameProblems, refuse } from './configuration.ts'
import type { LeaseTable } from './lease-table.ts'
import { assertSameRegion, assertWithoutTicks } from './lease-table-use.ts'
import * as prop from './prop-rules.ts'
import { envOfStack } from './regions.ts'

export interface StandingElectionProps {
  readonly leaseTable: LeaseTable
  /** 1 to 128 characters out of `A-Z a-z 0-9 . _ - / :`. It must not be that of an `ElectedSchedule`. */
  readonly lease: string
}

const PROPS: prop.Rules = {
  leaseTable: prop.required(prop.leaseTable),
  lease: prop.required(prop.text),
}

/**
 * A lease without ticks, for which servers stand by an `Election`, and functions by `withLease` or `leaderOnly` without
 * a tick. It makes no resources: give each candidate `environment` and its grant.
 */
export class StandingElection extends Construct {
  readonly leaseTable: LeaseTable
  readonly lease: string
  /** The environment variables of a candidate, LEASE_TABLE and LEASE_NAME. */
  readonly environment: Readonly<Record<string, string>>

  /** @throws ConfigurationError if a prop is wrong, or the lease is that of an ElectedSchedule, which has ticks */
  constructor(scope: Construct, id: string, props: StandingElectionProps) {
    super(scope, id)
    prop.refuseWrong(this, props, PROPS)
    const { leaseTable, lease } = props
    refuse(this, leaseNameProblems(lease))
    assertSameRegion(leaseTable, this, envOfStack(this))
    assertWithoutTicks(leaseTable, lease, this)
    this.leaseTable = leaseTable
    this.lease = lease
    this.environment = { LEASE_TABLE: leaseTable.tableName, LEASE_NAME: lease }
  }

  /** For a server, such as the task role of an ECS service: see `LeaseTable.grantStand`. */
  grantStand(grantee: IGrantable): Grant {
    return this.leaseTable.grantStand(grantee, this.lease)
  }

  /** For a function, which does not wait for the lease: see `LeaseTable.grantLead`. */
  grantLead(grantee: IGrantable): Grant {
    return this.leaseTable.grantLead(grantee, this.lease)
  }
}
