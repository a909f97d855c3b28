/** `collapseKey` to `collapse_key`. */
type SnakeCase<Name extends string> = Name extends `${infer Head}${infer Rest}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeCase<Rest>}`
  : Name

/**
 * A type of firebase-admin's with its fields named as the HTTP API's documents name them: a field
 * that the library does not know is a compile error.
 */
export type Wire<Config> = {
  [Name in keyof Config as Name extends string ? SnakeCase<Name> : Name]: Config[Name]
}
