import * as z from 'zod';
import { client } from './schema-clients.ts';
import { quota } from './schema-limits.ts';
import { model } from './schema-models.ts';
import { name, section } from './schema-parts.ts';
import { provider } from './schema-providers.ts';
import { defaults, hedge, log, reserved, server, state } from './schema-server.ts';

const BELONGS: ReadonlyMap<string, string> = new Map([
  ...['queue', 'retry', 'timeouts'].map((key): [string, string] => [key, `defaults: { ${key}: ... }`]),
  ...['host', 'port', 'cors'].map((key): [string, string] => [key, `server: { ${key}: ... }`]),
  ['keys', 'providers: [{ type: ..., keys: ... }]'],
]);

/** The whole file. Its input is what people write, its output has units resolved and defaults filled in. */
export const configSchema = section(
  {
    $schema: z.string().optional().describe('For editors of JSON.'),
    server: server.prefault({}).describe('Where and how Sluice listens.'),
    log: log.prefault({}).describe('What is logged.'),
    state: state.prefault({}).describe('What survives a restart.'),
    defaults: defaults.prefault({}).describe('For models and providers that do not say.'),
    clients: z.array(client).prefault([]).describe('Who may call.'),
    quotas: z
      .array(quota)
      .prefault([])
      .describe('What upstreams limit together: an organisation, a project, a deployment.'),
    providers: z.array(provider).prefault([]).describe('Where requests can go, and with which keys.'),
    models: z.array(model).prefault([]).describe('What clients ask for. Absent: every name that a provider takes.'),
    default_model: name.optional().describe('For a missing or unknown name.'),
    hedge: hedge
      .optional()
      .describe('A second send on another route when the first is slow to begin, where quota is plenty. Absent: none.'),
    ...reserved,
  },
  BELONGS,
);

/** What the schema makes of a file without mistakes: still in the file's own words. */
export type ParsedConfig = z.output<typeof configSchema>;

/** The JSON Schema for editors, as `sluice schema` prints it. */
export function configJsonSchema(): Record<string, unknown> {
  return {
    title: 'Configuration of Sluice',
    ...z.toJSONSchema(configSchema, { io: 'input' }),
  };
}
