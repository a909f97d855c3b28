/** What a device runs. */
export type Platform = 'ios' | 'android'

/** Who carries the push. iOS over FCM exists, so a platform does not name its provider. */
export type Provider = 'apns' | 'fcm'

/** APNs host a token belongs to: a property of the build that obtained it. */
export type Environment = 'production' | 'sandbox'

/** Two lanes a provider, so that ten million broadcast pushes do not delay one login code. */
export type Lane = 'transactional' | 'bulk'

export const providers = ['apns', 'fcm'] as const satisfies readonly Provider[]
export const lanes = ['transactional', 'bulk'] as const satisfies readonly Lane[]

/** The environment to try after `environment` refused a token as none of its own. */
export function otherEnvironment(environment: Environment): Environment {
  return environment === 'production' ? 'sandbox' : 'production'
}
