/** The customers of a local run: made from a seed or read from a CSV file, put into the table, and audited afterwards. */
export {
  auditCharged,
  auditLedger,
  type Booked,
  disagreements,
  duplicatesIn,
  type GatewayAccount,
  type LedgerAudit,
  readGateway,
  readLedger,
  unitOf,
  unowed,
} from './audit.ts'
export { CustomersFileError, readCustomers, toCsv } from './csv.ts'
export { generateCustomers, generateWeeklyCustomers } from './generate.ts'
export { earliestDueAt, seedSubscriptions } from './seed.ts'
