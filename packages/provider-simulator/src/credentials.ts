import { generateKeyPair, randomBytes, randomInt } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'

const generateKeys = promisify(generateKeyPair)

/** The JSON that Google hands out for a service account. */
export const ServiceAccount = z.object({
  type: z.literal('service_account'),
  project_id: z.string(),
  private_key_id: z.string(),
  private_key: z.string(),
  client_email: z.string(),
  client_id: z.string(),
  auth_uri: z.string(),
  token_uri: z.string(),
  auth_provider_x509_cert_url: z.string(),
  client_x509_cert_url: z.string(),
  universe_domain: z.string(),
})
export type ServiceAccount = z.infer<typeof ServiceAccount>

/** What a sender needs to push to one app: an APNs signing key and an FCM service account. */
export const Credentials = z.object({
  apns: z.object({
    teamId: z.string(),
    keyId: z.string(),
    topic: z.string(),
    privateKeyPem: z.string(),
  }),
  fcm: z.object({ projectId: z.string(), serviceAccount: ServiceAccount }),
})
export type Credentials = z.infer<typeof Credentials>

/** Credentials under the name they were issued by; the key may be bound to one APNs environment. */
export const IssuedApp = Credentials.extend({
  name: z.string(),
  environment: z.enum(['production', 'sandbox']).nullable(),
})
export type IssuedApp = z.infer<typeof IssuedApp>

/** What `POST /credentials` takes. */
export const NewApp = z.strictObject({
  name: z.string().min(1).max(100),
  topic: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,200}$/, 'must look like a bundle id')
    .optional(),
  project_id: z
    .string()
    .regex(/^[a-z0-9-]{1,100}$/, 'must look like a project id')
    .optional(),
  team_id: z
    .string()
    .regex(/^[A-Z0-9]{10}$/, 'must be 10 capital letters or digits')
    .optional(),
  environment: z.enum(['production', 'sandbox']).optional(),
})
export type NewApp = z.infer<typeof NewApp>

export const DEFAULT_APP = 'default'

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** Makes fresh keys for one app, in the formats in which Apple and Google hand them out. */
export async function issueApp(wanted: NewApp, tokenUri: string): Promise<IssuedApp> {
  const [apnsKey, fcmKey] = await Promise.all([
    generateKeys('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }),
    generateKeys('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }),
  ])
  const slug = slugOf(wanted.name)
  const projectId = wanted.project_id ?? `pushkeep-${slug}`
  return {
    name: wanted.name,
    environment: wanted.environment ?? null,
    apns: {
      teamId: wanted.team_id ?? appleId(),
      keyId: appleId(),
      topic: wanted.topic ?? `com.example.${slug}`,
      privateKeyPem: apnsKey.privateKey,
    },
    fcm: { projectId, serviceAccount: serviceAccount(projectId, fcmKey.privateKey, tokenUri) },
  }
}

function serviceAccount(projectId: string, privateKey: string, tokenUri: string): ServiceAccount {
  const account = `pushkeep-${randomBytes(3).toString('hex')}`
  const email = `${account}@${projectId}.iam.gserviceaccount.com`
  return {
    type: 'service_account',
    project_id: projectId,
    private_key_id: randomBytes(20).toString('hex'),
    private_key: privateKey,
    client_email: email,
    client_id: String(randomInt(1e12, 2e12)),
    auth_uri: 'https://accounts.google.com/o/oauth2/auth',
    token_uri: tokenUri,
    auth_provider_x509_cert_url: 'https://www.googleapis.com/oauth2/v1/certs',
    client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(email)}`,
    universe_domain: 'googleapis.com',
  }
}

function appleId(): string {
  return Array.from({ length: 10 }, () => ALPHANUMERIC.charAt(randomInt(36))).join('')
}

function slugOf(name: string): string {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  return slug.replace(/^-+|-+$/g, '').slice(0, 60) || 'app'
}
