/** Routes for mobile apps too: their keys are public, and are told nothing. */
export const publicKeys = { access: 'public' } as const

/** Routes for the customer's servers alone. */
export const secretKeys = { access: 'secret' } as const

/** Routes for the customer's servers that reach every app: a key for one app is refused. */
export const workspaceKeys = { access: 'secret', reach: 'workspace' } as const
