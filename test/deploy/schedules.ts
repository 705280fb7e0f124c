/** The stack's schedules, which can be turned off: their events are then lost. */
import {
  GetScheduleCommand,
  ListSchedulesCommand,
  type ScheduleState,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler'
import type { Clients } from './clients.ts'

/** Their names, in order. */
export async function scheduleNames({ scheduler }: Clients): Promise<string[]> {
  const { Schedules = [] } = await scheduler.send(new ListSchedulesCommand({}))
  return Schedules.map(({ Name = '' }) => Name).sort()
}

export async function setSchedule({ scheduler }: Clients, Name: string, State: ScheduleState): Promise<void> {
  const { ScheduleExpression, FlexibleTimeWindow, Target, Description } = await scheduler.send(
    new GetScheduleCommand({ Name }),
  )
  const kept = { ScheduleExpression, FlexibleTimeWindow, Target, Description }
  await scheduler.send(new UpdateScheduleCommand({ Name, State, ...kept }))
}
