import * as z from 'zod';
import { queue } from './schema-models.ts';
import { amount, duration, flag, offOrDuration, section, share, size, text, wholeNumber } from './schema-parts.ts';
import { upstreamTimeouts } from './schema-providers.ts';

const earlyHead = section({
  mode: z
    .enum(['whitespace', 'interim'])
    .prefault('whitespace')
    .describe('whitespace: a 200 and a newline, which gives up the status; interim: a 102, which keeps it.'),
  after: duration.prefault('15s').describe('Of silence; again each time as much of it has passed.'),
});

const SHORTEST_SILENCE_MS = 100;

export const server = section({
  host: text.optional().describe('Address to listen on. Absent: 127.0.0.1, in the image 0.0.0.0.'),
  port: wholeNumber(0, 65_535).prefault(8080).describe('Port to listen on; 0 takes a free one.'),
  auth: z
    .enum(['clients', 'none'])
    .prefault('clients')
    .describe('Who may call. Without clients, anything but loopback must be opened by saying none.'),
  body_limit: size.prefault('32MiB').describe('Largest request body.'),
  body_memory: size
    .prefault('512MiB')
    .describe('All request bodies held at once: uploading, waiting, in flight until the first byte.'),
  max_connections: wholeNumber(1).prefault(10_000).describe('Connections of clients.'),
  timeouts: section({
    headers: duration.prefault('15s').describe("Until a request's headers are complete."),
    request: duration.prefault('120s').describe('Until the last byte of its body; waiting and streams do not count.'),
    keep_alive: duration.prefault('75s').describe('How long an idle connection is kept.'),
    write_stall: duration.prefault('60s').describe('A client that accepts no byte for so long is gone.'),
  })
    .prefault({})
    .describe('What clients are granted.'),
  drain_delay: duration.prefault('0s').describe('Serve on after SIGTERM until routers forget us; Kubernetes: 5s.'),
  shutdown_grace: duration.prefault('45s').describe('What can be served within it is served after SIGTERM.'),
  stream_keepalive: offOrDuration
    .prefault('20s')
    .describe('A streaming client that hears nothing gets a comment. Or off.'),
  early_head: z
    .union([offOrDuration, earlyHead], 'must be off, a duration such as 15s, or a mapping with `mode` and `after`')
    .prefault('off')
    .describe('A client that waits for a whole answer gets a sign of life. A duration means white space. Or off.'),
  compression: z
    .enum(['off', 'json', 'all'])
    .prefault('off')
    .describe('json: whole answers from 1 KiB to 1 MiB; all: streams too.'),
  cors: section({
    origins: z.array(text).min(1).describe('Such as https://app.example.com, or "*".'),
  })
    .optional()
    .describe('Web pages that may call.'),
  debug_headers: flag.prefault(true).describe('Add the x-sluice-* headers to answers.'),
}).superRefine((value, context) => {
  const early = value.early_head;
  if (early !== null && (typeof early === 'number' ? early : early.after) < SHORTEST_SILENCE_MS) {
    context.addIssue({
      code: 'custom',
      path: ['early_head'],
      message: 'is less than 100ms: no client gives up so soon',
    });
  }
  if (value.body_limit > value.body_memory) {
    context.addIssue({
      code: 'custom',
      path: ['body_limit'],
      message: 'is more than `body_memory`: no such body fits',
    });
  }
});

export const log = section({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .prefault('info')
    .describe('Least level that is written.'),
  format: z.enum(['json', 'pretty']).optional().describe('Absent: pretty on a terminal, json elsewhere.'),
  requests: flag.prefault(true).describe('One line a request.'),
});

export const state = section({
  file: text
    .prefault('./sluice-state.json')
    .describe('Keeps windows, days and budgets over a restart. none: memory only.'),
});

export const defaults = section({
  queue: queue.prefault({}).describe('For models that do not say.'),
  retry: section({
    attempts: wholeNumber(1).prefault(3).describe('Sends in all.'),
    budget: share.prefault('20%').describe('Retries as a share of requests.'),
  })
    .prefault({})
    .describe('After a failure upstream.'),
  timeouts: upstreamTimeouts.prefault({}).describe('For providers that do not say.'),
  classes: z
    .enum(['weighted', 'strict'])
    .prefault('weighted')
    .describe('high, normal and low share 100 : 20 : 5, or a class waits while one above it has work.'),
  affinity: offOrDuration.prefault('1h').describe('How long a conversation prefers the route that served it. Or off.'),
  predicted_output: amount.prefault(512).describe('Output tokens to expect of a model until learned.'),
});

/** For answers that are slow to begin. */
export const hedge = section({
  after: duration
    .optional()
    .describe('Time without a first event until the second send. Absent: longer than 95 % of them take.'),
  max_share: share.prefault('5%').describe('Of the requests of the last minute, how many may be sent twice.'),
});

/** Parsed for later versions; in force in none so far. */
export const reserved = {
  redis: section({ url: text.describe('Address.') })
    .optional()
    .describe('Reserved: a store that instances share.'),
  metrics: z.unknown().optional().describe('Reserved: metrics.'),
  telemetry: section({ otlp: text.optional().describe('Address of a collector.') })
    .optional()
    .describe('Reserved: traces.'),
  admin: section({ key: text.describe('Its secret.') })
    .optional()
    .describe('Reserved: administration.'),
  requests_log: z.unknown().optional().describe('Reserved: a log of requests.'),
};
