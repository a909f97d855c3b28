import { type Caller, notFound } from '@pushkeep/runtime'
import { type Database, deleteDevice } from '@pushkeep/store'
import type { z } from 'zod'
import { type ChangedDeviceAnswer, deviceAnswer } from './answers.ts'
import type { AppFinder } from './apps.ts'
import type { Shown } from './identity/shown.ts'

export interface Deletion {
  caller: Caller
  appId: string | undefined
  token: string
  /** Only if the device is this person's. */
  personId: string | null
  /** The client's time in ms. */
  at: number | null
  shown: Shown
}

/**
 * Deletes a device. Answers with the present one where the call was late; null where it is deleted,
 * and always to a public key, which is told nothing.
 */
export async function deleteByToken(
  { database, apps }: { database: Database; apps: AppFinder },
  { caller, appId, token, personId, at, shown }: Deletion,
): Promise<z.infer<typeof ChangedDeviceAnswer> | null> {
  const app = await apps.toChange(caller, appId, token)
  const call = { token, personId, at, ...shown }
  const result = app && (await deleteDevice(database, { appNo: app.appNo, ...call }))
  if (caller.kind === 'public') return null
  if (!app || result?.kind !== 'found') {
    const whose = personId === null ? 'there is' : 'this person has'
    throw notFound('unknown_device', `${whose} no such device`)
  }
  const { applied, device } = result
  return applied ? null : { ...deviceAnswer(token, device, app.id), applied }
}
