import { randomUUID } from 'node:crypto'
import { Command, Option } from 'commander'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import { jsonObject, readText, tokenOf, wholeNumber } from '../input.ts'
import type { Api } from './client.ts'
import { showWhenDone } from './messages.ts'
import type { RunApi } from './run.ts'

interface Options {
  person?: string[]
  token?: string[]
  all?: true
  yes?: true
  title?: string
  body?: string
  image?: string
  link?: string
  badge?: string
  sound?: string
  data?: string
  message?: string
  app?: string
  ttl?: string
  priority?: 'high' | 'normal'
  collapseId?: string
  onUnknown?: 'retry' | 'give_up'
  idempotencyKey?: string
  wait?: string | true
}

/** `send` */
export function sendCommand(run: RunApi): Command {
  return new Command('send')
    .description('send a push to people, to devices or to everyone')
    .option('--person <id...>', 'to these people')
    .option('--token <token...>', 'to these devices; - reads a token from the standard input')
    .option('--all', 'to every device; asks for --yes')
    .option('--yes', 'really to everyone')
    .option('--title <text>', 'first line')
    .option('--body <text>', 'the text')
    .option('--image <url>', 'a picture')
    .option('--link <url>', 'where a tap leads')
    .option('--badge <n>', 'number on the icon (iOS)')
    .option('--sound <name>', 'a sound of the app, or default')
    .option('--data <json>', 'custom keys for the app')
    .option('--message <file>', 'the message as the API takes it (JSON); - for the standard input')
    .option('--app <id>', 'only to devices of this app')
    .option('--ttl <seconds>', 'how long it is worth trying')
    .addOption(new Option('--priority <name>', 'of delivery').choices(['high', 'normal']))
    .option('--collapse-id <text>', 'replaces an earlier push with the same one')
    .addOption(
      new Option('--on-unknown <what>', 'where a provider gave no answer').choices([
        'retry',
        'give_up',
      ]),
    )
    .option('--idempotency-key <key>', 'the same key again sends nothing (a new one)')
    .option('--wait [seconds]', 'until nothing is pending, and tell the counts')
    .addHelpText('after', help)
    .action((options: Options) =>
      run(async (api) => {
        const { id } = await send(api, await messageOf(options), options)
        if (options.wait !== undefined) return showWhenDone(api, id, options.wait)
        return { text: id, json: { id } }
      }),
    )
}

const help = `
  pushkeep send --person ana --title Hello --body "It works." --wait
  pushkeep send --all --yes --message message.json --ttl 3600

An option says it in place of the message's file. The answer is the id of the message: see
pushkeep messages show <id>.`

// What the API names, as the command line has it.
const argumentOf = {
  to: '--person, --token, --all:',
  'to.person_id': '--person',
  'to.person_ids': '--person',
  'to.token': '--token',
  'to.tokens': '--token',
  content: '--title, --body, --data or --message:',
  'content.title': '--title',
  'content.body': '--body',
  'content.image_url': '--image',
  'content.link': '--link',
  'content.badge': '--badge',
  'content.sound': '--sound',
  'content.data': '--data',
  app_id: '--app',
  ttl_seconds: '--ttl',
  priority: '--priority',
  collapse_id: '--collapse-id',
  on_unknown: '--on-unknown',
  'Idempotency-Key': '--idempotency-key',
}

async function send(api: Api, body: object, options: Options): Promise<{ id: string }> {
  // One of its own where none is given: an answer that was lost is asked for again, and sends nothing.
  const key = options.idempotencyKey ?? randomUUID()
  const answer = await api.sender('POST', '/v1/messages', {
    body,
    argumentOf,
    mayRepeat: true,
    headers: { 'idempotency-key': key },
  })
  return z.looseObject({ id: z.string() }).parse(answer)
}

async function messageOf(options: Options): Promise<object> {
  const { message: file } = options
  const given = file === undefined ? {} : jsonObject('--message', await readText('--message', file))
  const to = await audienceOf(options)
  const content = contentOf(options)
  const said = {
    to,
    content: content && { ...Object(given.content), ...content },
    app_id: options.app,
    ttl_seconds: options.ttl === undefined ? undefined : wholeNumber('--ttl', options.ttl),
    priority: options.priority,
    collapse_id: options.collapseId,
    on_unknown: options.onUnknown,
  }
  const set = Object.entries(said).filter(([, value]) => value !== undefined)
  const message = { ...given, ...Object.fromEntries(set) }
  if (!('to' in message)) throw new Failure('say to whom: --person, --token or --all', 2)
  const isForAll = z.looseObject({ to: z.looseObject({ all: z.literal(true) }) }).safeParse(message)
  if (isForAll.success && !options.yes) {
    throw new Failure('this goes to every device: say --yes, too', 2)
  }
  return message
}

async function audienceOf({ person, token, all }: Options): Promise<object | undefined> {
  if ([person, token, all].filter((one) => one !== undefined).length > 1) {
    throw new Failure('only one of --person, --token and --all', 2)
  }
  if (all) return { all }
  if (person) return person.length === 1 ? { person_id: person[0] } : { person_ids: person }
  if (!token) return undefined
  const tokens = []
  for (const one of token) tokens.push(await tokenOf(one))
  return tokens.length === 1 ? { token: tokens[0] } : { tokens }
}

function contentOf(options: Options): object | undefined {
  const content = {
    title: options.title,
    body: options.body,
    image_url: options.image,
    link: options.link,
    badge: options.badge === undefined ? undefined : wholeNumber('--badge', options.badge),
    sound: options.sound,
    data: options.data === undefined ? undefined : jsonObject('--data', options.data),
  }
  const set = Object.entries(content).filter(([, value]) => value !== undefined)
  return set.length === 0 ? undefined : Object.fromEntries(set)
}
