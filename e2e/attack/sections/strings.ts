import type { Section } from '../attempt.ts'
import type { World } from '../world.ts'

const hostile: Record<string, string> = {
  'SQL in quotes': `'; drop table people; --`,
  'SQL without quotes': '1 or 1=1',
  'a prototype': '__proto__',
  'a constructor': 'constructor',
  'an escape': '\u001b]0;pwned\u0007\u001b[2J',
  'line breaks': 'a\r\nset-cookie: x=y',
  NUL: 'a\0b',
  'half a character': 'a\ud800',
  'text that turns around': 'a\u202eb',
  'a path': '../../../etc/passwd',
  dots: '..',
  'a URL': 'http://127.0.0.1:1/',
  'a template': '{{ customer.email }}',
  'another template': '{% include "x" %}',
  HTML: '<script>alert(1)</script>',
  XML: '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
  'a shell': '$(touch /tmp/x)`id`',
  'a format': '%s%n%x',
  'very long': 'x'.repeat(5000),
  'a number past all': '9'.repeat(400),
  'not a number': 'NaN',
  'an object': '[object Object]',
  'a person number': 'cio_00000001',
  'spaces alone': '   ',
  'an emoji': '\u{1f600}'.repeat(100),
}

/** Hostile texts in every place that takes a text: none fails a service, none is repeated in a header. */
export function stringSection(world: World): Section {
  const { local, victim, call } = world
  const { registry_url: registry, sender_url: sender } = local
  const key = victim.keys.operate
  const places: Record<string, (text: string) => Promise<{ status: number; headers: Headers }>> = {
    'id of a person': (text) =>
      call('PUT', `${registry}/v1/people/${encodeURIComponent(text.toWellFormed())}`, key, {}),
    attribute: (text) =>
      call('PUT', `${registry}/v1/people/text-1`, key, { attributes: { text, [text]: 1 } }),
    'device token': (text) =>
      call('PUT', `${registry}/v1/people/text-1/devices`, key, {
        device: { id: text, platform: 'android', app_id: victim.appId },
      }),
    'name of an event': (text) =>
      call('POST', `${registry}/v1/people/text-1/events`, key, { name: text }),
    'title of a message': (text) =>
      call('POST', `${sender}/v1/messages`, key, {
        to: { person_id: 'text-1' },
        content: { title: text },
      }),
    cursor: (text) =>
      call('GET', `${sender}/v1/messages?cursor=${encodeURIComponent(text.toWellFormed())}`, key),
  }
  return {
    name: 'hostile texts',
    control: async () => {
      const { status } = await call('PUT', `${registry}/v1/people/text-1`, key, {})
      if (status !== 200) throw new Error(`a plain text was answered ${status}`)
    },
    attempts: Object.entries(hostile).flatMap(([what, text]) =>
      Object.entries(places).map(([place, send]) => ({
        name: `${what} as ${place}`,
        run: async () => {
          const { status, headers } = await send(text)
          if (status >= 500) return `${status}`
          return headers.get('set-cookie') === null ? null : 'a header was set'
        },
      })),
    ),
  }
}
