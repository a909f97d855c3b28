import {
  type Attributes,
  type DeviceAttributeChange,
  deviceAttributeChange,
  PersonDeviceInput,
  tokenProblems,
} from '@pushkeep/domain'
import { type Caller, invalid } from '@pushkeep/runtime'
import { appsOf, type Registration, type Sql, secretKeyProof } from '@pushkeep/store'
import { z } from 'zod'

const { id: TokenInput, platform, last_used, attributes } = PersonDeviceInput.shape.device.shape

/** `custom_device`: a device that the person has from now on, if they had it not before. */
export const CustomDevice = z.strictObject({
  token: TokenInput,
  platform,
  last_used: last_used.nullish(),
  attributes: attributes.nullish(),
})
export type CustomDevice = z.infer<typeof CustomDevice>

/** The command that registers a custom device. Throws a problem that names the field. */
export async function registrationOf(
  sql: Sql,
  caller: Caller,
  personId: string,
  device: CustomDevice,
): Promise<Registration> {
  const { token, platform, last_used: lastUsed, attributes } = device
  const problems = tokenProblems('custom_device.token', platform, token)
  if (problems.length > 0) throw invalid(problems)
  return {
    workspaceNo: caller.workspaceNo,
    appNo: await onlyApp(sql, caller),
    token,
    platform,
    environment: null,
    personId,
    installationId: null,
    previousToken: null,
    readerHash: null,
    proof: secretKeyProof,
    change: changeOf(attributes ?? {}),
    lastUsed: lastUsed ?? null,
    at: null,
  }
}

function changeOf(attributes: Attributes): DeviceAttributeChange {
  const result = deviceAttributeChange(attributes)
  switch (result.kind) {
    case 'change':
      return result.change
    case 'problem': {
      const { path, message } = result.problem
      throw invalid([{ path: `custom_device.${path}`, message }])
    }
  }
}

/** The key's app, else the workspace's only one: the App API knows no apps. */
async function onlyApp(sql: Sql, { workspaceNo, appNo }: Caller): Promise<number> {
  if (appNo !== null) return appNo
  const [app, ...others] = await appsOf(sql, workspaceNo)
  if (app && others.length === 0) return app.appNo
  const message = app
    ? 'needs a key for one app: the workspace has several'
    : 'cannot be kept: the workspace has no app'
  throw invalid([{ path: 'custom_device', message }])
}
