import { startAdmin } from './admin/server.ts'
import { createAuthority, issueServerCertificate } from './certificates.ts'
import { type Credentials, DEFAULT_APP, type IssuedApp, issueApp } from './credentials.ts'
import type { SimulatorOptions } from './options.ts'
import { CredentialRegistry } from './registry.ts'
import { Simulation } from './simulation.ts'
import { State } from './state.ts'

/** Where a running simulator is reached. */
export interface SimulatorUrls {
  /** The admin API. */
  simulator: string
  apnsProduction: string
  apnsSandbox: string
  fcm: string
  fcmToken: string
}

/** A running simulator. */
export interface Simulator extends AsyncDisposable {
  urls: SimulatorUrls
  /** The certificate authority to trust. */
  caPem: string
  /** The default app's. */
  credentials: Credentials
  /** Null without a state folder. */
  caFile: string | null
  /** Null without a state folder. */
  credentialsFile: string | null
  close: () => Promise<void>
}

const DEFAULT_NAMES = { topic: 'com.example.pushkeep', project_id: 'pushkeep-simulator' }

/** Starts APNs (both environments), FCM and the admin API, and returns when all of them listen. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const host = options.host ?? '127.0.0.1'
  const state = new State(options.stateDir)
  const registry = new CredentialRegistry()
  const [authority, kept] = await Promise.all([state.authority(), appsOrFirst(state)])
  const [certificate, untrusted] = await Promise.all([
    issueServerCertificate(authority, host),
    createAuthority().then((stranger) => issueServerCertificate(stranger, host)),
  ])
  let tokenUri = ''
  const simulation = new Simulation({
    options,
    certificate,
    untrusted,
    registry,
    tokenUri: () => tokenUri,
  })
  try {
    const urls = await listen(simulation, options, host)
    tokenUri = urls.fcmToken
    // The port of the token endpoint may differ from the last run's.
    const apps = kept.map((app) => withTokenUri(app, tokenUri))
    for (const app of apps) registry.add(app)
    const { apns, fcm } = appNamed(apps, DEFAULT_APP)
    const credentials = { apns, fcm }
    const save = () => state.save(credentials, registry.all())
    await save()
    const admin = await startAdmin(
      { simulation, caPem: authority.cert, tokenUri, save },
      { port: options.ports?.admin ?? 0, host },
    )
    const close = async () => {
      await Promise.all([admin.close(), simulation.close()])
    }
    return {
      urls: { ...urls, simulator: `http://${urlHost(host)}:${admin.port}` },
      caPem: authority.cert,
      credentials,
      caFile: state.caFile,
      credentialsFile: state.credentialsFile,
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (cause) {
    await simulation.close()
    throw cause
  }
}

async function listen(
  { listeners }: Simulation,
  { ports }: SimulatorOptions,
  host: string,
): Promise<Omit<SimulatorUrls, 'simulator'>> {
  const [production, sandbox, fcmPort] = await Promise.all([
    listeners.production.listen(ports?.apnsProduction ?? 0, host),
    listeners.sandbox.listen(ports?.apnsSandbox ?? 0, host),
    listeners.fcm.listen(ports?.fcm ?? 0, host),
  ])
  const base = `https://${urlHost(host)}`
  return {
    apnsProduction: `${base}:${production}`,
    apnsSandbox: `${base}:${sandbox}`,
    fcm: `${base}:${fcmPort}`,
    fcmToken: `${base}:${fcmPort}/token`,
  }
}

async function appsOrFirst(state: State): Promise<IssuedApp[]> {
  const apps = await state.apps()
  return apps.length > 0 ? apps : [await issueApp({ name: DEFAULT_APP, ...DEFAULT_NAMES }, '')]
}

function withTokenUri(app: IssuedApp, tokenUri: string): IssuedApp {
  const serviceAccount = { ...app.fcm.serviceAccount, token_uri: tokenUri }
  return { ...app, fcm: { ...app.fcm, serviceAccount } }
}

function appNamed(apps: IssuedApp[], name: string): IssuedApp {
  const app = apps.find((candidate) => candidate.name === name)
  if (app === undefined) throw new Error(`No credentials are named ${name}`)
  return app
}

/** An address to listen on everywhere is none to connect to. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
