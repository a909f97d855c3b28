import { InvalidArgumentError, Option } from 'commander'

const day = /^\d{4}-\d{2}-\d{2}$/
const days = /^([1-9]\d{0,3})d$/

/** `--expires 2027-01-31`, or `--expires 90d`: when something ends. */
export function expiryOption(meaning: string): Option {
  const example = 'such as 2027-01-31, or in days: 90d'
  return new Option('--expires <date>', `${meaning}, ${example}`).argParser((text) => {
    const [, count] = days.exec(text) ?? []
    if (count !== undefined) return new Date(Date.now() + Number(count) * 86_400_000)
    const date = new Date(`${text}T00:00:00Z`)
    if (!day.test(text) || Number.isNaN(date.getTime())) {
      throw new InvalidArgumentError(`must be a date ${example}`)
    }
    return date
  })
}
