import { Client } from 'pg'

/** A full description of a database schema, as lines that can be compared and read. */
export async function readCatalog(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const lines: string[] = []
    for (const query of queries) {
      const { rows } = await client.query<{ line: string }>(query)
      lines.push(...rows.map((row) => row.line))
    }
    return lines.sort()
  } finally {
    await client.end()
  }
}

const ours = `relnamespace = current_schema()::regnamespace`

const queries = [
  `select format('column %s.%s %s%s%s collate %s', c.relname, a.attname,
      format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' else '' end,
      coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''), a.attcollation::regcollation) as line
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.${ours} and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped`,
  `select format('table %s options %s owner %s grants %s', relname, reloptions, relowner::regrole,
      (select string_agg(item::text, ' ' order by item::text) from unnest(relacl) as item)) as line
    from pg_class where ${ours} and relkind = 'r'`,
  `select format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid)) as line
    from pg_constraint where connamespace = current_schema()::regnamespace`,
  `select 'index ' || pg_get_indexdef(i.indexrelid) as line
    from pg_index i join pg_class c on c.oid = i.indexrelid where c.${ours}`,
  `select format('trigger %s enabled %s', pg_get_triggerdef(t.oid), t.tgenabled) as line
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.${ours} and not t.tgisinternal`,
  `select 'function ' || pg_get_functiondef(oid) as line
    from pg_proc where pronamespace = current_schema()::regnamespace`,
]
