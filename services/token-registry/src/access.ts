/** Routes for mobile apps too: their keys are public, and are told nothing. */
export const publicKeys = { access: 'public' } as const

/** Routes for the customer's servers alone. */
export const secretKeys = { access: 'secret' } as const
