/** For tests: a store and tables in memory, a clock that the test advances, and a suite for stores of your own. */
// @ts-nocheck


export { setTestDefaults } from '../defaults.ts'
export { leaseStoreConformance, type StoreUnderTest, type TestRunner } from './conformance.ts'
export { lambdaContext } from './lambda-context.ts'
export { ManualClock } from './manual-clock.ts'
export { type MemoryKey, MemoryLeaseStore, type MemoryLeaseStoreOptions, type MemoryTable } from './memory-store.ts'
