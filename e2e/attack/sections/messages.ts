import { type Section, unless } from '../attempt.ts'
import type { World } from '../world.ts'

const templates: Record<string, string> = {
  'a loop': '{% for i in customer.list %}x{% endfor %}',
  'a range': '{% assign x = (1..100000000) | join: "," %}{{ x }}',
  where_exp: '{{ customer.list | where_exp: "x", "x contains customer.a" }}',
  reject_exp: '{{ customer.list | reject_exp: "x", "x contains customer.a" }}',
  group_by_exp: '{{ customer.list | group_by_exp: "x", "x.a" }}',
  find_exp: '{{ customer.list | find_exp: "x", "x.a" }}',
  'a file': '{% include "package.json" %}',
  'a rendered file': '{% render "package.json" %}',
  'a layout': '{% layout "package.json" %}',
  'another root': '{{ process.env }}',
  'all of a person': '{{ customer }}',
  'a computed key': '{{ customer[trigger.key] }}',
  'deep blocks': '{% if customer.id %}'.repeat(1700),
  'deep brackets': `{{ customer${'[customer'.repeat(500)}${']'.repeat(500)} }}`,
  'many filters': `{{ customer.a${' | upcase'.repeat(2000)} }}`,
  'many tags': '{{ customer.a }}'.repeat(2000),
  'a long condition': `{% if ${'customer.a or '.repeat(2000)}customer.b %}x{% endif %}`,
  'open tags': '{{'.repeat(10_000),
  'not closed': '{% if customer.a %}',
  'an unknown filter': '{{ customer.a | system }}',
}

const headers: Record<string, Record<string, string>> = {
  'an unknown push type': { 'apns-push-type': 'shout' },
  'a push type of a prototype': { 'apns-push-type': 'constructor' },
  'a background push that shows': { 'apns-push-type': 'background' },
  'background at priority 10': { 'apns-push-type': 'background', 'apns-priority': '10' },
  'an unknown priority': { 'apns-priority': '99' },
  'an expiration in words': { 'apns-expiration': 'never' },
  'push to talk at priority 5': { 'apns-push-type': 'pushtotalk', 'apns-priority': '5' },
  'another topic': { 'apns-topic': 'com.example.other' },
  'an authorization': { authorization: 'bearer x' },
  'a path': { ':path': '/3/device/x' },
  'a line break': { 'apns-priority': '10\r\nx: y' },
}

/** Messages that are to hold a worker, to read what they may not, or to stop a lane. */
export function messageSection({ local, victim, call }: World): Section {
  const send = (message: object) =>
    call('POST', `${local.sender_url}/v1/messages`, victim.keys.operate, {
      to: { person_id: victim.person },
      ...message,
    })
  return {
    name: 'poisoned messages',
    control: async () => {
      const templating = 'liquid'
      const good = { templating, content: { title: 'Hello {{ customer.id }}' } }
      const { status } = await send(good)
      if (status !== 202) throw new Error(`a good template was answered ${status}`)
    },
    attempts: [
      ...Object.entries(templates).map(([name, title]) => ({
        name: `template: ${name}`,
        run: async () =>
          unless(
            await send({
              templating: 'liquid',
              content: { body: title.slice(0, 4000), data: { t: title } },
            }),
            [422],
          ),
      })),
      ...Object.entries(headers).map(([name, given]) => ({
        name: `header: ${name}`,
        run: async () =>
          unless(await send({ content: { title: 'x' }, apns: { headers: given } }), [422]),
      })),
    ],
  }
}
