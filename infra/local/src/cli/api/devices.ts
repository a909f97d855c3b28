import { tokenFingerprint } from '@pushkeep/store'
import { Command, Option } from 'commander'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import { attributesOf, tokenOf } from '../input.ts'
import type { Answer } from '../session.ts'
import { attributeRows, columns, facts, timeText } from '../view.ts'
import type { RunApi } from './run.ts'

/** A device as the registry answers it, its token under `id`. */
const Device = z.looseObject({
  id: z.string(),
  platform: z.string(),
  last_used: z.number(),
  app_id: z.string(),
  person_id: z.string().nullable(),
  environment: z.string().nullable(),
  installation_id: z.string().nullable(),
  registered_at: z.string(),
  attributes: z.record(z.string(), z.unknown()),
  applied: z.boolean().optional(),
})
type Device = z.infer<typeof Device>

/** What of a device may be shown: its token as a fingerprint. */
export function withoutToken(device: unknown): Record<string, unknown> {
  const { id, ...rest } = z.looseObject({ id: z.string() }).parse(device)
  return { device: tokenFingerprint(id), ...rest }
}

/** One line a device, for lists. */
export function deviceColumns(device: unknown): string[] {
  const { id, platform, attributes, last_used } = Device.parse(device)
  const { _last_status: status, push_enabled: enabled } = attributes
  return [
    tokenFingerprint(id),
    platform,
    String(status || 'not sent to'),
    enabled === 'false' ? 'push off' : 'push on',
    `last used ${timeText(last_used)}`,
  ]
}

interface Options {
  app?: string
}

const tokenHelp = 'the token; - reads it from the standard input, so that no history keeps it'
const appOption = () => new Option('--app <id>', 'which app, where several know the token')

/** `devices show`, `timeline`, `register`, `untie`, `delete` */
export function devicesCommand(run: RunApi): Command {
  const command = new Command('devices')
    .alias('device')
    .description(
      'devices by their tokens: what is known, what happened; tokens are shown as a hash',
    )
  command
    .command('show')
    .description('what is known of a device')
    .argument('<token>', tokenHelp)
    .addOption(appOption())
    .action((given: string, { app }: Options) =>
      run(async (api) => {
        const token = await tokenOf(given)
        return deviceAnswer(await api.registry('GET', pathOf(token, '', { app_id: app }), named))
      }),
    )
  command
    .command('timeline')
    .description('what happened to a token, the newest first')
    .argument('<token>', tokenHelp)
    .addOption(appOption())
    .option('--limit <n>', 'at most so many events', '50')
    .action((given: string, { app, limit }: Options & { limit: string }) =>
      run(async (api) => {
        const token = await tokenOf(given)
        const path = pathOf(token, '/timeline', { app_id: app, limit })
        return timelineAnswer(await api.registry('GET', path, named))
      }),
    )
  return command
    .addCommand(registerCommand(run))
    .addCommand(untieCommand(run))
    .addCommand(deleteCommand(run))
}

const named = {
  argumentOf: {
    token: '<token>',
    app_id: '--app',
    platform: '--platform',
    person_id: '--person',
    attributes: '--attributes',
    environment: '--environment',
    limit: '--limit',
  },
}

function pathOf(token: string, rest: string, query: Record<string, string | undefined>): string {
  const set = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) set.set(name, value)
  const path = `/v1/devices/${encodeURIComponent(token)}${rest}`
  return set.size === 0 ? path : `${path}?${set}`
}

interface RegisterOptions extends Options {
  platform: string
  person?: string
  environment?: string
  attributes?: string
  set?: string[]
  unset?: string[]
}

function registerCommand(run: RunApi): Command {
  return new Command('register')
    .description('register a device, or refresh one: as its app would')
    .argument('<token>', tokenHelp)
    .addOption(
      new Option('--platform <name>', 'what it runs')
        .choices(['ios', 'android'])
        .makeOptionMandatory(),
    )
    .option('--person <id>', 'whose it is; left out: whoever had it')
    .addOption(
      new Option('--environment <name>', 'APNs environment of the build').choices([
        'production',
        'sandbox',
      ]),
    )
    .addOption(appOption())
    .option('--attributes <json>', 'attributes to merge')
    .option('--set <name=value...>', 'an attribute: text, or JSON')
    .option('--unset <name...>', 'an attribute to remove')
    .action((given: string, options: RegisterOptions) =>
      run(async (api) => {
        const token = await tokenOf(given)
        const { platform, person: person_id, environment, app: app_id } = options
        const attributes = attributesOf(options)
        const body = { platform, person_id, environment, app_id, attributes }
        return deviceAnswer(await api.registry('PUT', pathOf(token, '', {}), { ...named, body }))
      }),
    )
}

function untieCommand(run: RunApi): Command {
  return new Command('untie')
    .description('untie a device from its person, as a logout does')
    .argument('<token>', tokenHelp)
    .option('--person <id>', 'only if it is theirs')
    .addOption(appOption())
    .action((given: string, { app, person: person_id }: Options & { person?: string }) =>
      run(async (api) => {
        const token = await tokenOf(given)
        const path = pathOf(token, '/clear-identify', { app_id: app })
        return deviceAnswer(await api.registry('POST', path, { ...named, body: { person_id } }))
      }),
    )
}

function deleteCommand(run: RunApi): Command {
  return new Command('delete')
    .description('erase a device: its token, attributes and tie')
    .argument('<token>', tokenHelp)
    .addOption(appOption())
    .option('--yes', 'do it without asking')
    .action((given: string, { app, yes }: Options & { yes?: true }) =>
      run(async (api) => {
        if (!yes) throw new Failure('this cannot be undone: say --yes', 2)
        const token = await tokenOf(given)
        const left = await api.registry('DELETE', pathOf(token, '', { app_id: app }), named)
        if (left !== null) return deviceAnswer(left)
        const device = tokenFingerprint(token)
        return { text: `device ${device} is deleted`, json: { device, deleted: true } }
      }),
    )
}

function deviceAnswer(answer: unknown): Answer {
  const gone = z.strictObject({ id: z.string(), applied: z.literal(false) }).safeParse(answer)
  if (gone.success) {
    const device = tokenFingerprint(gone.data.id)
    return {
      text: `device ${device} was deleted by a newer call`,
      json: { device, applied: false },
    }
  }
  return { text: textOf(Device.parse(answer)), json: withoutToken(answer) }
}

function textOf(device: Device): string {
  const late = device.applied === false ? [['', 'a newer call had been there'] as const] : []
  return facts([
    ['device', tokenFingerprint(device.id)],
    ...late,
    ['platform', device.platform],
    ['app', device.app_id],
    ['person', device.person_id ?? 'nobody'],
    ['environment', device.environment ?? 'not known'],
    ['installation', device.installation_id ?? 'not known'],
    ['registered', timeText(device.registered_at)],
    ['last used', timeText(device.last_used)],
    ['attributes', ''],
    ...attributeRows(device.attributes),
  ])
}

const Timeline = z.looseObject({
  events: z.array(
    z.looseObject({
      at: z.string(),
      kind: z.string(),
      person_id: z.string().nullable(),
      from_person_id: z.string().optional(),
      reason: z.string().optional(),
    }),
  ),
})

function timelineAnswer(answer: unknown): Answer {
  const { events } = Timeline.parse(answer)
  const rows = events.map(({ at, kind, person_id, from_person_id, reason }) => [
    timeText(at),
    kind,
    person_id ?? '',
    from_person_id === undefined ? '' : `from ${from_person_id}`,
    reason ?? '',
  ])
  return { text: columns(rows), json: events }
}
