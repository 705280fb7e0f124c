/**
 * For tests of tasks, and of your own stores: a store in memory, a clock that a test advances, and a conformance suite.
 */

export { MemoryLeaseStore } from '../stores/memory.ts'
export { leaseStoreConformance, type StoreUnderTest, type TestRunner } from './conformance.ts'
export { ManualClock } from './manual-clock.ts'
