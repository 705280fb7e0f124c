/** Prints the customers of a seed as CSV: `node infra/local/billing/write-customers.ts 1 > infra/local/billing/customers.csv` */
import { generateCustomers, toCsv } from './customers.ts'

const seed = Number(process.argv[2] ?? 1)
if (!Number.isSafeInteger(seed)) throw new RangeError(`"${process.argv[2]}" is not a seed: give an integer`)
process.stdout.write(toCsv(generateCustomers(seed)))
