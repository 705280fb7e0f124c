/**
 * Expressions of which DynamoDB says that they are wrong, and those that are nearly so. The shipped code, and whoever reads
 * its errors, goes by these words.
 */
import type { Row } from '../database.ts'

/** What the expressions are tried on. */
export const SAMPLE_ROW: Row = {
  a: { N: '1' },
  b: { S: 'xyz' },
  l: { L: [{ N: '1' }, { N: '2' }] },
  m: { M: { k: { N: '3' } } },
  s: { NS: ['1', '2'] },
}

export const SAMPLE_VALUES: Row = {
  ':n': { N: '1' },
  ':two': { N: '2' },
  ':t': { S: 'x' },
  ':bool': { BOOL: true },
  ':list': { L: [{ N: '1' }] },
  ':set': { NS: ['1', '2'] },
  ':texts': { SS: ['x'] },
}

export const CONDITIONS: readonly string[] = `
  a = :n | (a = :n) | ((a = :n)) | ((a = :n) AND (b = :t)) | (a) = (:n) | NOT NOT a = :n | NOT (NOT a = :n)
  a = a | a < a | :n = :n | a < :bool | a < :list | a = :list | a = :unknown | #a = :n | zz <> :n | NOT zz < :n | zz <> yy
  attribute_exists(:n) | attribute_exists(a) = :bool | foo(a) | Attribute_Exists(a) | attribute_exists(a, b) | attribute_exists()
  size(:n) = :n | size(size(a)) = :n | size(b) | size(a) <> :n | size(m) = :n | attribute_exists(size(a)) | contains(size(a), :n)
  begins_with(b, :n) | begins_with(:n, b) | begins_with(b, b) | begins_with(b, a) | begins_with(b) | contains(a, a) | contains(:n, a)
  attribute_type(a, :t) | attribute_type(a, :n) | a BETWEEN :bool AND :bool | a between :n and :n AND a = :n | a BETWEEN zz AND :n
  a IN :n | a IN () | a in (a) | a IN (b, :n) | a IN (:list) | l[-1] = :n | l [0] = :n | m . k = :n | l[00] = :n | l[:n] = :n
  _a = :n | a_b = :n | 1a = :n | a-b = :n | a = :n OR | a = :n AND AND a = :n | a | name = :n | Name = :n | m.name = :n
  a == :n | a != :n | a = 1 | a = "x" | a = :n; | a = b = :n | (a AND b) | a AND b = :t
`
  .trim()
  .split(/\s*[|\n]\s*/)

export const UPDATES: readonly string[] = `
  SET a = (:n) | SET a = (a + :n) | SET a = a + :n + :n | SET a = (a + :n) - :two | SET a = foo(a) | SET a = size(a)
  SET a = if_not_exists(a) | SET a = if_not_exists(a, a + :n) | SET a = if_not_exists(zz, if_not_exists(b, :n))
  SET a = if_not_exists(a, zz) | SET a = if_not_exists(a, a) | SET a = if_not_exists(:n, a) | SET a = a + :t | SET a = b + :n
  SET a = zz + :n | SET a = zz | SET a = :n SET b = :n | SET a = :n, a = :n | SET a = :n REMOVE a | SET m = :n, m.k = :n
  SET m.k = :n, m[0] = :n | SET l[0] = :n, l[0].k = :n | SET | SET a = :n, | a = :n | SET :n = a | SET pk = :t | REMOVE sk
  ADD pk :n | SET pk.x = :n | SET a = pk | SET name = :n | SET a = b c | SET a = - :n | SET a = list_append(a) | ADD a b
  SET a = :n REMOVE | FOO a | SET l = list_append(list_append(l, :list), :list) | SET l = if_not_exists(zz, list_append(l, l))
  SET l = list_append(:n, l) | SET l = list_append(a, :list) | SET l = list_append(zz, :list) | SET a = ((l)) | SET (a) = :n
  SET a = :texts + :n | SET zz.x = :n | SET m.x.y = :n | SET a[0] = :n | SET l.x = :n | SET m[0] = :n | REMOVE zz.x | REMOVE m.k.j
  REMOVE a[0] | REMOVE l[9] | REMOVE m.zz | ADD b :n | ADD a :t | ADD l :list | ADD a :set | DELETE s :texts | DELETE s :n
  DELETE zz :texts | SET l[7] = :n, l[5] = :two | SET l[8] = :n REMOVE l[0] | REMOVE l[1], l[0] SET l[2] = l[1]
`
  .trim()
  .split(/\s*[|\n]\s*/)
