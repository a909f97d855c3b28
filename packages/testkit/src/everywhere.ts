import type { Database } from '@pushkeep/store'

interface Column {
  table: string
  column: string
}

/**
 * Every place of a database that holds one of these texts, as `schema.table.column: name`: in each column of
 * each table and partition of each schema, the queue's among them, as text or inside bytes.
 */
export async function findEverywhere(
  database: Database,
  words: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { rows: columns } = await database.query<Column>(
    `select c.oid::regclass::text as table, quote_ident(a.attname) as column
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relkind in ('r', 'm') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
     order by 1, 2`,
  )
  const places: string[] = []
  for (const { table, column } of columns) {
    const { rows } = await database.query<{ name: string }>(
      `select w.key as name from json_each_text($1) w
       where exists (
         select from ${table} t
         where position(w.value in ${column}::text) > 0
            or position(encode(convert_to(w.value, 'UTF8'), 'hex') in ${column}::text) > 0)`,
      [JSON.stringify(words)],
    )
    places.push(...rows.map(({ name }) => `${table}.${column}: ${name}`))
  }
  return places
}
