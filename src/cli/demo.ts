import type { Command } from 'commander';
import { readEnvironment } from './config-file.ts';
import { DEMO_KEYS, DEMO_MODELS, demoNotice, openStage } from './demo-stage.ts';
import { table } from './demo-table.ts';
import type { CliIo } from './io.ts';
import { overridesFrom } from './overrides.ts';
import { endBySignal, type StartServices } from './start.ts';

interface DemoFlags {
  readonly host?: string;
  readonly port?: string;
  readonly burst?: true;
}

/** `sluice demo`: Sluice in front of a vendor that is simulated on this machine, whatever keys there are. */
export function registerDemo(program: Command, io: CliIo, createApp: StartServices['createApp']): void {
  program
    .command('demo')
    .description('try Sluice without any key: the vendor behind it is simulated')
    .option('--host <address>', 'address to listen on')
    .option('-p, --port <number>', 'port to listen on (with --burst: any free one)')
    .option('--burst', 'send 30 requests at once, show what becomes of them, and end')
    .action(async (flags: DemoFlags) => {
      if (!flags.burst) return demo(io, flags, createApp);
      const { burst } = await import('./demo-burst.ts');
      return burst(io, flags, createApp);
    });
}

async function demo(io: CliIo, flags: DemoFlags, createApp: StartServices['createApp']): Promise<void> {
  const overrides = overridesFrom(readEnvironment(io), flags);
  const stage = await openStage(io, createApp, { overrides, maxWait: '60s', logsRequests: true });
  endBySignal(io, stage);
  io.stdout.write(introduction(io.version, stage.url));
}

function introduction(version: string, url: string): string {
  const limits = table(
    ['key', '>requests a minute', '>tokens a minute'],
    DEMO_KEYS.map(({ name, requests, tokens }) => [name, String(requests), tokens.toLocaleString('en-US')]),
  );
  const body = JSON.stringify({ model: DEMO_MODELS[0], messages: [{ role: 'user', content: 'Hello' }] });
  return [
    demoNotice(version),
    `Listens on ${url} with three keys:`,
    ...limits,
    '',
    'Try it:',
    `  curl ${url}/v1/chat/completions -H 'content-type: application/json' -d '${body}'`,
    'See levels, and who waits:',
    `  ${url}/queue`,
    'Send 30 requests at once and watch: npm run demo:burst, or sluice demo --burst',
    'With keys of your own: set OPENAI_API_KEY, or write config.yaml. Ctrl-C ends this.',
    '',
  ].join('\n');
}
