import { sha256Hex } from '../config/normalise.ts';
import { CliError } from './config-file.ts';
import type { CliIo } from './io.ts';

/**
 * `sluice hash-key`: prints what may stand as a client's `key` in place of the secret itself. Without an argument the
 * secret is read from standard input, so that it stays out of the shell's history.
 *
 * @throws CliError when the key is empty
 */
export async function hashKey(io: CliIo, argument: string | undefined): Promise<void> {
  if (argument === undefined && io.stdin.isTTY) io.stderr.write('Type the key and press Enter:\n');
  const key = argument ?? (await firstLine(io.stdin));
  if (key === '') throw new CliError('the key is empty: give it as an argument or on standard input');
  io.stdout.write(`sha256:${sha256Hex(key)}\n`);
}

/** Ends at the first line break, because a terminal never ends its input by itself. */
async function firstLine(input: AsyncIterable<string | Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of input) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (text.includes('\n')) break;
  }
  return text.split(/\r?\n/)[0] ?? '';
}
