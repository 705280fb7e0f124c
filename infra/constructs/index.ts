export { ConfigurationError } from './configuration-error.ts'
export { ElectedSchedule } from './elected-schedule.ts'
export type { ElectedScheduleProps } from './elected-schedule-props.ts'
export { LeaseTable, type LeaseTableProps } from './lease-table.ts'
