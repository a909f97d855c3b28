/** What a secret key may do, each role also what the ones before it may. */
export const roles = ['read', 'operate', 'admin'] as const

/**
 * `read` looks; `operate` also sends, cancels, resumes and changes people and devices; `admin` also
 * manages keys and credentials.
 */
export type Role = (typeof roles)[number]

/** Whether somebody who holds a role may do what needs another. */
export function mayActAs(held: Role, needed: Role): boolean {
  return roles.indexOf(held) >= roles.indexOf(needed)
}
