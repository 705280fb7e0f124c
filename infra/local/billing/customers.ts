/** The customers of a local run: generated from a seed, or read from a CSV file. */
export { CustomersFileError, readCustomers, toCsv } from './csv.ts'
export { generateCustomers, generateWeeklyCustomers } from './generate.ts'
