import { z } from 'zod'
import { TokenRule } from '../behaviours.ts'
import { AdminProblem, valid } from './http.ts'
import type { AdminWorld, Route } from './route.ts'

const TOKENS_MAX = 100_000

const Token = z.string().min(1).max(4096)
const TokenRules = z.array(TokenRule.extend({ token: Token })).max(TOKENS_MAX)

/** `/tokens`: how single tokens behave. */
export function tokenRoutes({ simulation }: AdminWorld): Route[] {
  const { behaviours, now } = simulation
  return [
    {
      method: 'PUT',
      path: /^\/tokens$/,
      answer: ({ body }) => {
        const rules = valid(TokenRules, body)
        for (const { token, ...rule } of rules) behaviours.set(token, rule, now())
        return { status: 200, body: { set: rules.length } }
      },
    },
    {
      method: 'DELETE',
      path: /^\/tokens$/,
      answer: () => {
        behaviours.clear()
        return { status: 204 }
      },
    },
    {
      method: 'PUT',
      path: /^\/tokens\/([^/]+)$/,
      answer: ({ name, body }) => {
        behaviours.set(valid(Token, name), valid(TokenRule, body), now())
        return { status: 200, body: { token: name, ...behaviours.get(name) } }
      },
    },
    {
      method: 'GET',
      path: /^\/tokens\/([^/]+)$/,
      answer: ({ name }) => {
        const rule = behaviours.get(name)
        if (rule === undefined) throw new AdminProblem(404, 'This token behaves normally')
        return { status: 200, body: { token: name, ...rule } }
      },
    },
    {
      method: 'DELETE',
      path: /^\/tokens\/([^/]+)$/,
      answer: ({ name }) => {
        behaviours.delete(name)
        return { status: 204 }
      },
    },
  ]
}
