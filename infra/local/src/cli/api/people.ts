import { Command } from 'commander'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import { attributesOf } from '../input.ts'
import type { Answer } from '../session.ts'
import { attributeRows, columns, facts, timeText } from '../view.ts'
import { deliveriesAnswer, deliveryOptions } from './deliveries.ts'
import { deviceColumns, withoutToken } from './devices.ts'
import { writeWhole } from './person-file.ts'
import type { RunApi } from './run.ts'

const Person = z.looseObject({
  id: z.string(),
  attributes: z.record(z.string(), z.unknown()),
  suppressed: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
  devices: z.array(z.unknown()).optional(),
})

const named = { argumentOf: { id: '<id>', attributes: '--attributes', limit: '--limit' } }

const pathOf = (id: string, rest = '') => `/v1/people/${encodeURIComponent(id)}${rest}`

/** `people show`, `identify`, `suppress`, `unsuppress`, `deliveries`, `export`, `delete` */
export function peopleCommand(run: RunApi): Command {
  const command = new Command('people')
    .aliases(['person'])
    .description('people: their attributes and devices, and what was sent to them')
  command
    .command('show <id>')
    .description('a person and their devices')
    .action((id: string) =>
      run(async (api) => personAnswer(await api.registry('GET', pathOf(id), named))),
    )
  command
    .command('identify <id>')
    .description('add a person, or merge attributes into what is known')
    .option('--attributes <json>', 'attributes to merge; null removes one')
    .option('--set <name=value...>', 'an attribute: text, or JSON')
    .option('--unset <name...>', 'an attribute to remove')
    .action((id: string, options: Parameters<typeof attributesOf>[0]) =>
      run(async (api) => {
        const body = { attributes: attributesOf(options) }
        return personAnswer(await api.registry('PUT', pathOf(id), { ...named, body }))
      }),
    )
  for (const [name, description] of [
    ['suppress', 'send nothing more to a person'],
    ['unsuppress', 'let a person be sent to again'],
  ] as const) {
    command
      .command(`${name} <id>`)
      .description(description)
      .action((id: string) =>
        run(async (api) => personAnswer(await api.registry('POST', pathOf(id, `/${name}`), named))),
      )
  }
  command
    .command('deliveries <id>')
    .description('what was sent to the devices of a person, the newest first')
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
  command
    .command('export <id>')
    .description('everything of one person as JSON, with tokens and what was sent to them')
    .requiredOption('--out <file>', 'the file, readable by its owner alone')
    .action((id: string, { out }: { out: string }) =>
      run(async (api) => {
        const body = await api.senderStream(pathOf(id, '/export'), named)
        const bytes = await writeWhole(out, body)
        return {
          text: `${id}: ${bytes.toLocaleString('en')} bytes in ${out}`,
          json: { id, bytes, file: out },
        }
      }),
    )
  command
    .command('delete <id>')
    .description('erase a person with their devices')
    .option('--yes', 'do it without asking')
    .action((id: string, { yes }: { yes?: true }) =>
      run(async (api) => {
        if (!yes) throw new Failure('this cannot be undone: say --yes', 2)
        await api.registry('DELETE', pathOf(id), named)
        return { text: `${id} is deleted, with all devices`, json: { id, deleted: true } }
      }),
    )
  return command
}

function personAnswer(answer: unknown): Answer {
  const person = Person.parse(answer)
  const { devices } = person
  const known = facts([
    ['person', person.id],
    ['suppressed', person.suppressed ? 'yes: nothing is sent' : 'no'],
    ['since', timeText(person.created_at)],
    ['changed', timeText(person.updated_at)],
    ['attributes', Object.keys(person.attributes).length === 0 ? 'none' : ''],
    ...attributeRows(person.attributes),
    ...(devices ? ([['devices', devices.length === 0 ? 'none' : '']] as const) : []),
  ])
  const rows = (devices ?? []).map((device) => ['', ...deviceColumns(device)])
  return {
    text: rows.length === 0 ? known : `${known}\n${columns(rows)}`,
    json: { ...person, ...(devices ? { devices: devices.map(withoutToken) } : {}) },
  }
}
