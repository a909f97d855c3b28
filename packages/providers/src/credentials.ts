import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { Environment } from '@pushkeep/domain'
import { z } from 'zod'
import type { Flaw } from './provider.ts'

/** An APNs signing key (.p8) with what it is for. */
export interface ApnsCredentials {
  teamId: string
  keyId: string
  /** The app's bundle id. */
  topic: string
  /** PEM. */
  privateKey: string
  /** Tried first for a token of which the environment is not known. */
  environment: Environment
}

/** The fields of a Google service account that sending needs. */
export interface ServiceAccount {
  project_id: string
  client_email: string
  /** PEM. */
  private_key: string
  private_key_id?: string | undefined
}

export interface FcmCredentials {
  projectId: string
  serviceAccount: ServiceAccount
}

export type Parsed<Credentials> =
  | { kind: 'ok'; credentials: Credentials }
  | ({ kind: 'problem' } & Flaw)

const tenCharacters = z.string().regex(/^[A-Z0-9]{10}$/, 'must be ten capital letters and digits')

const ApnsInput = z.object(
  {
    teamId: tenCharacters,
    keyId: tenCharacters,
    topic: z.string().regex(/^[A-Za-z0-9.-]{1,255}$/, 'must be a bundle id'),
    privateKey: z.string().refine(isP256Key, 'must be the PEM text of a .p8 key (EC P-256)'),
    environment: z.enum(['production', 'sandbox']).default('production'),
  },
  'must be an object',
)

const ServiceAccountInput = z.object(
  {
    type: z.literal('service_account', 'must be "service_account"').optional(),
    project_id: z.string().regex(/^[a-z0-9.:-]{4,100}$/, 'must be a project id'),
    client_email: z.email('must be an e-mail address'),
    private_key: z
      .string()
      .refine(isRsaKey, 'must be the PEM text of an RSA key of 2,048 bits or more'),
    private_key_id: z.string().optional(),
  },
  'must be the JSON of a service account',
)

/** Checks APNs credentials. A problem names the field and never repeats what it holds. */
export function parseApnsCredentials(input: unknown): Parsed<ApnsCredentials> {
  const result = ApnsInput.safeParse(input)
  return result.success ? { kind: 'ok', credentials: result.data } : flawOf(result.error)
}

/**
 * Checks a service account: the JSON object, or its text. Its `token_uri` is left aside: which host
 * gets our signed assertion is configuration and no business of an upload.
 */
export function parseFcmCredentials(input: unknown): Parsed<FcmCredentials> {
  const object = typeof input === 'string' ? parseJson(input) : input
  const result = ServiceAccountInput.safeParse(object)
  if (!result.success) return flawOf(result.error)
  const { type: _, ...serviceAccount } = result.data
  return { kind: 'ok', credentials: { projectId: serviceAccount.project_id, serviceAccount } }
}

function flawOf(error: z.ZodError): { kind: 'problem' } & Flaw {
  const [issue] = error.issues
  return {
    kind: 'problem',
    path: issue?.path.join('.') ?? '',
    message: issue?.message ?? 'is not valid',
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isP256Key(pem: string): boolean {
  return keyOf(pem)?.asymmetricKeyDetails?.namedCurve === 'prime256v1'
}

function isRsaKey(pem: string): boolean {
  const key = keyOf(pem)
  const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0
  return key?.asymmetricKeyType === 'rsa' && bits >= 2048
}

function keyOf(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem)
  } catch {
    return null
  }
}
