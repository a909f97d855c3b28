import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Attempt, Section } from '../attempt.ts'
import { signIn } from '../browser.ts'
import type { World } from '../world.ts'

/** Makes a program call an address of the attacker's choice: a listener on this machine counts who comes. */
export function callSection(world: World): Section {
  const { local, tenant, call } = world
  const { registry_url: registry, sender_url: sender } = local
  const listening = listen()
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const account = {
    type: 'service_account',
    project_id: 'planted',
    client_email: 'planted@planted.iam.gserviceaccount.com',
    private_key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  }
  const upload = (over: (url: string) => object) => async (url: string) => {
    const browser = await signIn(world, tenant.admin)
    const path = `/ops/api/apps/${tenant.appId}/providers/fcm`
    const put = await browser.send('PUT', `${path}/credentials`, {
      service_account: JSON.stringify({ ...account, ...over(url) }),
      expires_at: null,
      is_forced: true,
    })
    if (![202, 422].includes(put.status)) throw new Error(`credentials: ${put.status} ${put.text}`)
    await browser.send('POST', `${path}/check`)
    return put.status
  }
  const send = (message: (url: string) => object) => async (url: string) => {
    const answer = await call('POST', `${sender}/v1/messages`, tenant.admin, {
      to: { person_id: 'reached' },
      content: { title: 'Hello' },
      ...message(url),
    })
    if (answer.status >= 500) throw new Error(`a message was answered ${answer.status}`)
  }
  const tries: Record<string, (url: string) => Promise<unknown>> = {
    'token_uri of a service account': upload((url) => ({ token_uri: url })),
    'auth_uri and certificates of one': upload((url) => ({
      auth_uri: url,
      auth_provider_x509_cert_url: url,
      client_x509_cert_url: url,
    })),
    'universe_domain of one': upload((url) => ({ universe_domain: new URL(url).host })),
    'an external account': upload((url) => ({
      type: 'external_account',
      token_url: url,
      credential_source: { url },
    })),
    'a project id with a host': upload((url) => ({ project_id: `@${new URL(url).host}/x` })),
    'a project id with a path': upload(() => ({ project_id: '../../v1/projects/another' })),
    image_url: send((url) => ({ content: { title: 'x', image_url: url } })),
    link: send((url) => ({ content: { title: 'x', link: url } })),
    'raw APNs parts': send((url) => ({ apns: { payload: { url, 'media-url': url } } })),
    'raw FCM parts': send((url) => ({ fcm: { notification: { image: url } } })),
    'a template that includes a URL': send((url) => ({
      content: { title: `{% include '${url}' %}{% render '${url}' %}` },
    })),
    'an attribute that is a URL': async (url) => {
      await call('PUT', `${registry}/v1/people/reached`, tenant.admin, {
        attributes: { avatar: url, webhook: url },
      })
      await send(() => ({ content: { title: '{{ customer.avatar }}' } }))(url)
    },
    'a Host header': async (url) => {
      await call('GET', `${registry}/v1/people/reached`, tenant.admin, undefined, {
        'x-forwarded-host': new URL(url).host,
        forwarded: `host=${new URL(url).host}`,
      })
    },
  }
  return {
    name: 'calls',
    control: async () => {
      const { url, count } = await listening
      const before = count()
      await fetch(url)
      if (count() !== before + 1) throw new Error('the listener counts nothing')
      const { status } = await call('PUT', `${registry}/v1/people/reached/devices`, tenant.admin, {
        device: { id: 'ab'.repeat(32), platform: 'ios', app_id: tenant.appId },
      })
      if (status !== 200) throw new Error(`registering was answered ${status}`)
      const stored = await upload(() => ({}))(url)
      if (stored !== 202) throw new Error(`plain credentials were answered ${stored}`)
    },
    attempts: Object.entries(tries).map(
      ([name, run]): Attempt => ({
        name,
        run: async () => {
          const { url, count } = await listening
          const before = count()
          await run(url)
          await sleep(1000)
          const calls = count() - before
          return calls === 0 ? null : `${calls} calls came`
        },
      }),
    ),
  }
}

/** A listener that does not keep the process alive. */
async function listen(): Promise<{ url: string; count: () => number }> {
  let calls = 0
  const server = createServer((_request, response) => {
    calls += 1
    response.setHeader('connection', 'close').end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/planted`, count: () => calls }
}
