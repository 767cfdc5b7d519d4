import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Target } from './load-job.ts';
import { freePort, Program, type Start, type Usage, untilAnswering, type Vitals } from './program.ts';

/** What stands between load generator and upstream. */
export interface Subject {
  readonly name: string;
  readonly target: Target;
  usage(): Promise<Usage>;
  vitals(): Promise<Vitals>;
  stop(): Promise<void>;
}

const CLIENT_KEY = 'sk-client-bench';
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function portOf(program: Program): Promise<number> {
  return program.told((message) => (message as { port?: number }).port);
}

function subject(name: string, origin: string, program: Program): Subject {
  return {
    name,
    target: { origin, key: CLIENT_KEY },
    usage: () => program.usage(),
    vitals: () => program.vitals(),
    stop: () => program.stop(),
  };
}

interface Pace {
  /** Until a whole answer. */
  readonly delayMs: number;
  /** Between two events of a stream. */
  readonly gapMs: number;
  /** Of a stream; absent: until it is closed. */
  readonly events?: number;
  /** Each so manieth request fails; absent: none. */
  readonly failEvery?: number;
}

/** The upstream that all share, loaded without anything in between when it is a subject itself. */
export async function startUpstream(pace: Pace): Promise<Subject> {
  const { delayMs, gapMs, events, failEvery } = pace;
  const given = { '--delay-ms': delayMs, '--gap-ms': gapMs, '--events': events, '--fail-every': failEvery };
  const args = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
  const program = Program.node({ file: pathOf('../cheap-upstream.ts') }, args);
  return subject('direct', `http://127.0.0.1:${await portOf(program)}`, program);
}

/** As plain JavaScript: Node's stripping of types at the start would be counted as the proxy's memory. */
export async function startBareProxy(upstream: Subject): Promise<Subject> {
  const source = stripTypeScriptTypes(readFileSync(pathOf('../bare-proxy.ts'), 'utf8'));
  const program = Program.node({ source }, ['--upstream', upstream.target.origin]);
  return subject('bare Fastify + undici', `http://127.0.0.1:${await portOf(program)}`, program);
}

interface Build extends Start {
  /** The folder of the built program; absent: this repository's. */
  readonly dist?: string;
}

/** The built program with a limiter, a client key and a log line a request. */
export async function startSluice(upstream: Subject, { dist, ...start }: Build = {}): Promise<Subject> {
  const port = await freePort();
  const config = join(folder, `sluice-${port}.yaml`);
  writeFileSync(config, sluiceConfig(port, upstream.target.origin));
  const main = dist === undefined ? pathOf('../../dist/main.js') : join(dist, 'main.js');
  const program = Program.node({ file: main }, ['--config', config], start);
  const origin = `http://127.0.0.1:${port}`;
  await untilAnswering(`${origin}/health`);
  return subject(dist === undefined ? 'Sluice' : `Sluice of ${dist}`, origin, program);
}

function sluiceConfig(port: number, origin: string): string {
  return `
server: { port: ${port} }
log: { level: info, format: json, requests: true }
state: { file: none }
clients: [{ name: bench, key: "${CLIENT_KEY}" }]
providers:
  - name: upstream
    type: openai
    base_url: ${origin}/v1
    keys:
      - { name: a, key: sk-upstream-bench-a }
      - { name: b, key: sk-upstream-bench-b }
    limits: { rpm: 1M, tpm: 2000M }
models:
  - name: gpt-4o
    targets: [{ provider: upstream, model: gpt-4o }]
`;
}

/** Null where nginx is not installed. */
export async function startNginx(upstream: Subject): Promise<Subject | null> {
  if (spawnSync('nginx', ['-v']).error) return null;
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, nginxConfig(port, upstream.target.origin));
  const program = Program.foreign('nginx', ['-p', folder, '-c', file]);
  const origin = `http://127.0.0.1:${port}`;
  await untilAnswering(`${origin}/health`);
  return subject('nginx', origin, program);
}

/** One process, as the others are; streams are not held back. */
function nginxConfig(port: number, origin: string): string {
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000;
  client_body_buffer_size 64k;
  upstream cheap { server ${origin.replace('http://', '')}; keepalive 1024; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location = /health { return 204; }
    location / {
      proxy_pass http://cheap;
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_buffering off;
    }
  }
}
`;
}
