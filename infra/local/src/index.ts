export { type Child, type ChildOptions, startChild } from './child.ts'
export { freePort } from './ports.ts'
export { type LocalPostgres, type LocalPostgresOptions, startPostgres } from './postgres.ts'
