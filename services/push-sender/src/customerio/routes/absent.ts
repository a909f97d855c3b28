import type { FastifyInstance } from 'fastify'
import { unsupported } from '../scope.ts'

/** Parts of the App API that Pushkeep has nothing behind. */
const resources = [
  'activities',
  'api/campaigns',
  'assets',
  'broadcasts',
  'campaigns',
  'collections',
  'data_index',
  'design_studio',
  'esp',
  'exports',
  'imports',
  'info',
  'newsletters',
  'object_types',
  'objects',
  'reporting_webhooks',
  'segments',
  'sender_identities',
  'snippets',
  'subscription_center',
  'subscription_channels',
  'subscription_topics',
  'transactional',
  'workspaces',
]

/** Channels other than push. */
const channels = ['email', 'sms', 'whatsapp', 'inbox_message', 'in_app']

const hidden = { config: { access: 'secret' }, schema: { hide: true } } as const

/** Refuses what the App API has and Pushkeep has not, by its name. */
export function refuseAbsent(app: FastifyInstance): void {
  const refuse = (url: string, what: string) =>
    app.all(url, hidden, async () => {
      throw unsupported(what)
    })
  for (const name of resources) {
    const what = name.replace(/^api\//, '')
    for (const url of [`/${name}`, `/${name}/*`]) refuse(url, `${what} are not kept`)
  }
  for (const channel of channels) refuse(`/send/${channel}`, `${channel} is not sent`)
  app.post('/customers', hidden, async () => {
    throw unsupported('people are not searched by filter')
  })
  for (const part of ['relationships', 'subscription_preferences']) {
    refuse(`/customers/:id/${part}`, `${part} are not kept`)
  }
}
