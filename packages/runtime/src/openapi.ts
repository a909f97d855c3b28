import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'

export interface ApiDescription {
  title: string
  description: string
  version: string
}

/** `/openapi.json` (OpenAPI 3.1) and a page to browse it at `/docs`, all from this server. */
export function describeApi(app: FastifyInstance, api: ApiDescription): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: api.title, description: api.description, version: api.version },
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'A secret or a public key' },
        },
      },
      security: [{ key: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP:
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    uiConfig: { deepLinking: true },
  })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}
