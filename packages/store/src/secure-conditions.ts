/**
 * A parameter, or `fallback` where it is null, for a condition that goes by index. Under row-level
 * security PostgreSQL compares what an index holds with what it knows to tell nothing of hidden rows:
 * `case` is among that, `coalesce` is not, nor is a conversion of another table's column.
 */
export function parameterOr(parameter: string, fallback: string): string {
  return `case when ${parameter} is null then ${fallback} else ${parameter} end`
}

/** Above the number of every row that has one. */
export const aboveAll = '9223372036854775807'
