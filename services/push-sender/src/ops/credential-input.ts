import type { ApnsReplacement, FcmReplacement } from '@pushkeep/console-api'
import type { Json } from '@pushkeep/domain'
import { parseApnsCredentials, parseFcmCredentials } from '@pushkeep/providers'
import { invalid } from '@pushkeep/runtime'
import type { z } from 'zod'

/** New credentials in two parts: what may be shown, and the key material. */
export interface SplitCredentials {
  settings: Record<string, Json>
  secret: string
}

// The names of what the parser complains about, as the request has them.
const apnsFields: Record<string, string> = {
  teamId: 'team_id',
  keyId: 'key_id',
  topic: 'topic',
  environment: 'environment',
  privateKey: 'private_key',
}

/** Checks the shape of an APNs key; what is wrong is told by field and never repeated. */
export function splitApns(input: z.infer<typeof ApnsReplacement>): SplitCredentials {
  const { team_id: teamId, key_id: keyId, topic, environment, private_key: privateKey } = input
  const settings = { teamId, keyId, topic, ...(environment ? { environment } : {}) }
  const parsed = parseApnsCredentials({ ...settings, privateKey })
  if (parsed.kind === 'problem') {
    const path = apnsFields[parsed.path] ?? parsed.path
    throw invalid([{ path, message: parsed.message }])
  }
  return { settings, secret: privateKey }
}

/** Checks the shape of a service account. */
export function splitFcm(input: z.infer<typeof FcmReplacement>): SplitCredentials {
  const parsed = parseFcmCredentials(input.service_account)
  if (parsed.kind === 'problem') {
    const message = `${parsed.path} ${parsed.message}`.trim()
    throw invalid([{ path: 'service_account', message }])
  }
  const { project_id: projectId, client_email: clientEmail } = parsed.credentials.serviceAccount
  return { settings: { projectId, clientEmail }, secret: input.service_account }
}
