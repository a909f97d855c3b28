import { setTimeout as wait } from 'node:timers/promises'
import { Command } from 'commander'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import { wholeNumber } from '../input.ts'
import type { Answer } from '../session.ts'
import { facts, shown, timeText } from '../view.ts'
import type { Api } from './client.ts'
import { deliveriesAnswer, deliveryOptions } from './deliveries.ts'
import type { RunApi } from './run.ts'

const Message = z.looseObject({
  id: z.string(),
  state: z.string(),
  balanced: z.boolean(),
  counts: z.record(z.string(), z.number()),
  lane: z.string(),
  to: z.unknown(),
  created_at: z.string(),
  expires_at: z.string(),
})

const named = { argumentOf: { id: '<id>', limit: '--limit' } }

const pathOf = (id: string, rest = '') => `/v1/messages/${encodeURIComponent(id)}${rest}`

/** `messages show`, `messages deliveries` */
export function messagesCommand(run: RunApi): Command {
  const command = new Command('messages').alias('message').description('what became of a message')
  command
    .command('show <id>')
    .description('where it stands, and how many of its recipients stand where')
    .option('--wait [seconds]', 'until nothing is pending')
    .action((id: string, { wait: seconds }: { wait?: string | true }) =>
      run((api) => (seconds === undefined ? show(api, id) : showWhenDone(api, id, seconds))),
    )
  command
    .command('deliveries <id>')
    .description('each delivery of a message')
    .addOption(deliveryOptions.limit())
    .addOption(deliveryOptions.status())
    .action((id: string, options: { limit: string; status?: string }) =>
      run((api) =>
        deliveriesAnswer(
          (query) => api.sender('GET', pathOf(id, `/deliveries${query}`), named),
          options,
        ),
      ),
    )
  return command
}

async function show(api: Api, id: string): Promise<Answer> {
  return messageAnswer(await api.sender('GET', pathOf(id), { ...named, mayRepeat: true }))
}

const waitSecondsDefault = 60
const lookEveryMs = 300

/** The message once nothing of it is pending; exit code 1 where that takes too long. */
export async function showWhenDone(api: Api, id: string, given: string | true): Promise<Answer> {
  const seconds = given === true ? waitSecondsDefault : wholeNumber('--wait', given)
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    const answer = await show(api, id)
    if (Message.parse(answer.json).state === 'done') return answer
    if (performance.now() > deadline) {
      return { ...answer, text: `${answer.text}\nnot done after ${seconds} s`, exitCode: 1 }
    }
    await wait(lookEveryMs)
  }
}

function messageAnswer(answer: unknown): Answer {
  const parsed = Message.safeParse(answer)
  if (!parsed.success) throw new Failure('the push sender answers with something else')
  const message = parsed.data
  const counts = Object.entries(message.counts).map(([name, count]): [string, string] => [
    `  ${name}`,
    count.toLocaleString('en'),
  ])
  const text = facts([
    ['message', message.id],
    ['state', message.state],
    ['lane', message.lane],
    ['to', shown(message.to)],
    ['accepted', timeText(message.created_at)],
    ['expires', timeText(message.expires_at)],
    ['counts', message.balanced ? '' : 'they do not add up'],
    ...counts,
  ])
  return { text, json: message }
}
