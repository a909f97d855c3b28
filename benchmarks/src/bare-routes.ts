import { IdentifyInput, PersonDeviceInput } from '@pushkeep/domain'
import fastify from 'fastify'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'

/**
 * What a plain Fastify reaches that validates the same bodies and stores nothing. Run as a process of
 * its own, which prints its URL.
 */
const app = fastify().setValidatorCompiler(validatorCompiler)
const params = z.object({ id: z.string().min(1).max(150) })

app.put('/v1/people/:id/devices', { schema: { params, body: PersonDeviceInput } }, async () => ({
  applied: true,
}))
app.put('/v1/people/:id', { schema: { params, body: IdentifyInput } }, async () => ({}))

process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
