/** For tests: a store in memory, a clock that the test advances, and a suite for stores of your own. */

export { MemoryLeaseStore } from '../stores/memory.ts'
export { leaseStoreConformance, type StoreUnderTest, type TestRunner } from './conformance.ts'
export { ManualClock } from './manual-clock.ts'
