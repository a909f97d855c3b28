import { AsyncLocalStorage } from 'node:async_hooks'

const scope = new AsyncLocalStorage<readonly number[] | null>()

/**
 * Runs `work` for these workspaces: statements within it, also later ones of what it starts, see the rows
 * of no other (docs/decisions/0076). The numbers come from the caller's key, not from what the caller
 * asks for, so that a statement that forgets its workspace finds nothing of another's.
 */
export function inWorkspaces<T>(workspaceNos: readonly number[], work: () => T): T {
  return scope.run(workspaceNos, work)
}

/** The workspaces that this work is for; null where nothing says so. */
export function workspacesNow(): readonly number[] | null {
  return scope.getStore() ?? null
}

/** Runs `work` for all the workspaces that several calls were made for; null: none of them had any. */
export function inWorkspacesOf<T>(scopes: Iterable<readonly number[] | null>, work: () => T): T {
  const all = new Set<number>()
  let isScoped = false
  for (const one of scopes) {
    if (one === null) continue
    isScoped = true
    for (const workspaceNo of one) all.add(workspaceNo)
  }
  return scope.run(isScoped ? [...all] : null, work)
}

/** The setting that policies of row-level security read. */
export const workspacesSetting = 'pushkeep.workspaces'

/** Its value: numbers by commas. */
export function settingOf(workspaceNos: readonly number[]): string {
  for (const workspaceNo of workspaceNos) {
    if (!Number.isSafeInteger(workspaceNo)) throw new Error('a workspace has a whole number')
  }
  return workspaceNos.join(',')
}
