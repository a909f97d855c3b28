import { type Caller, notFound } from '@pushkeep/runtime'
import { type Database, deleteDevice } from '@pushkeep/store'
import type { z } from 'zod'
import { type ChangedDeviceAnswer, deviceAnswer } from './answers.ts'
import type { AppFinder } from './apps.ts'

export interface Deletion {
  caller: Caller
  appId: string | undefined
  token: string
  /** Only if the device is this person's. */
  personId: string | null
  /** The client's time in ms. */
  at: number | null
}

/**
 * Deletes a device. Answers with the present one where the call was late; null where it is deleted,
 * and always to a public key, which is told nothing.
 */
export async function deleteByToken(
  { database, apps }: { database: Database; apps: AppFinder },
  { caller, appId, token, personId, at }: Deletion,
): Promise<z.infer<typeof ChangedDeviceAnswer> | null> {
  const app = await apps.ofToken(caller, appId, token)
  const result = app && (await deleteDevice(database, { appNo: app.appNo, token, personId, at }))
  if (caller.kind === 'public') return null
  if (!app || result?.kind !== 'found') {
    const whose = personId === null ? 'there is' : 'this person has'
    throw notFound('unknown_device', `${whose} no such device`)
  }
  const { applied, device } = result
  return applied ? null : { ...deviceAnswer(token, device, app.id), applied }
}
