/** Imported before all else, it makes the stores of a file's tests send lease requests without the SDK. */
// @ts-nocheck

import { beLean } from './transport.ts'

beLean()
