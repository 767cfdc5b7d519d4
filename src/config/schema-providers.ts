import * as z from 'zod';
import { PROVIDER_TYPES, TYPES_WITHOUT_PROBE } from './provider-types.ts';
import { limits } from './schema-limits.ts';
import {
  duration,
  flag,
  headerName,
  headers,
  httpUrl,
  modelPattern,
  name,
  proxyUrl,
  section,
  text,
} from './schema-parts.ts';

/** How long one call to an upstream may take in each of its parts. Absent parts come from a more general place. */
export const upstreamTimeouts = section({
  connect: duration.optional().describe('Until a connection stands, TLS included.'),
  first_byte: duration.optional().describe('From sending until the first event of the answer.'),
  idle: duration.optional().describe('Between two pieces of an answer.'),
  total: duration.optional().describe('From sending until the end.'),
}).superRefine(({ first_byte, idle, total }, context) => {
  if (total === undefined) return;
  for (const [field, value] of Object.entries({ first_byte, idle })) {
    if (value !== undefined && value > total) {
      context.addIssue({ code: 'custom', path: [field], message: 'is longer than `total`: it would never be reached' });
    }
  }
});

const keyDetails = section({
  name: name.optional().describe('Shown in headers and logs in place of the key. Absent: key-1, key-2 ...'),
  key: text.describe(`The credential: "\${NAME}", or "file:/run/secrets/name".`),
  quota: name.optional().describe('The quota it draws on. Absent: one of its own.'),
  limits: limits.prefault({}).describe('Limits of this key alone, over all models.'),
  models: z.array(modelPattern).min(1).optional().describe('The upstream models it may be used for. Absent: all.'),
  enabled: flag.prefault(true).describe('false: not used.'),
});

const key = z.union([text, keyDetails], 'must be a key in quotes, or a mapping with `key`');

const SHORTEST_PROBE_INTERVAL_MS = 1_000;

/** What other products call it. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ...['key', 'api_key', 'apiKey', 'api_keys', 'apiKeys', 'token'].map((name): [string, string] => [name, 'keys']),
  ...['url', 'endpoint', 'api_base', 'baseURL', 'baseUrl'].map((name): [string, string] => [name, 'base_url']),
]);

export const provider = section(
  {
    name: name.optional().describe('Absent: its type.'),
    type: z.enum(PROVIDER_TYPES).describe('Whose API it is.'),
    base_url: httpUrl.optional().describe('Where the API is. Each type but openai-compatible has a default.'),
    base_urls: z.array(httpUrl).min(1).optional().describe('Several like servers, each its own route and quota.'),
    headers: headers.prefault({}).describe('Headers to add to every call.'),
    forward_headers: z.array(headerName).prefault([]).describe('Headers of the client that are passed on.'),
    keys: z
      .union(
        [text, z.array(key).min(1, 'is empty: leave `keys` out for a server without credentials')],
        'must be a list of keys',
      )
      .optional()
      .describe('Credentials. Text may hold several, separated by commas. Absent: calls carry none.'),
    limits: limits.prefault({}).describe('Limits of each quota and model of this provider.'),
    timeouts: upstreamTimeouts.prefault({}).describe('Over `defaults.timeouts`, one by one.'),
    proxy: proxyUrl.optional().describe('An HTTP proxy for this provider. Absent: HTTPS_PROXY and NO_PROXY.'),
    ca_file: text.optional().describe('A PEM file of certificate authorities to trust.'),
    api_version: text.optional().describe('The version of the API, where the vendor wants one in each call.'),
    stream_usage: flag.prefault(true).describe('false for servers that refuse `stream_options`.'),
    fetch_images: flag
      .prefault(false)
      .describe('true: images by https are fetched where the vendor wants them inline.'),
    any_model: flag.prefault(false).describe('true: names that are not under `models` are passed on.'),
    raw: flag.prefault(false).describe('true: unknown paths under /{provider}/ pass through.'),
    probe: section({
      interval: duration
        .refine((ms) => ms >= SHORTEST_PROBE_INTERVAL_MS, 'is less than 1s: a vendor would take it for an attack')
        .describe('Time between two probes.'),
    })
      .optional()
      .describe('Active probes that cost no tokens. Absent: only real requests tell.'),
  },
  OTHER_NAMES,
).superRefine((value, context) => {
  if (value.base_url !== undefined && value.base_urls !== undefined) {
    context.addIssue({ code: 'custom', path: ['base_urls'], message: 'stands beside `base_url`: keep one of the two' });
  }
  if (value.probe !== undefined && TYPES_WITHOUT_PROBE.includes(value.type)) {
    const message = 'is not possible here: this vendor has no call that costs no tokens. Take it out';
    context.addIssue({ code: 'custom', path: ['probe'], message });
  }
});
