/** Lease requests without the SDK: all that holds with it, and what is theirs alone. */
import './lean.ts'
import './store-answers.test.ts'
import './stores.test.ts'
import './unanswered-writes.test.ts'
import './wire.test.ts'
