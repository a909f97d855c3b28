/** Programs that connect to the database, each with a role of its own. */
export const databasePrograms = ['registry', 'sender', 'workers', 'admin'] as const

export type DatabaseProgram = (typeof databasePrograms)[number]

/**
 * The group role that holds what a program may do; grants.sql says what. It cannot log in: the roles
 * that programs log in with are its members. `admin` is the `pushkeep` command's.
 */
export function groupRole(program: DatabaseProgram): string {
  return `pushkeep_${program}`
}
