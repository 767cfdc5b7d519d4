import type { Config } from '../config/config.ts';
import { createScrub } from '../proxy/scrub.ts';
import { inJson, type Scrub, secretScrub } from '../scrub.ts';

/** Every secret that the configuration holds, so that it can be kept out of logs and answers. */
export function secretsOf({ providers }: Config): string[] {
  return providers.flatMap(({ keys, headers, proxy }) => {
    const secrets = [...keys.map(({ key }) => key), ...headers.values(), ...(proxy === null ? [] : [proxy])];
    return secrets.map((secret) => secret.reveal());
  });
}

/**
 * Keeps the secrets of the configuration out of logs and answers. Those of the last few configurations still count: what is
 * under way may have been sent with them.
 */
export class KnownSecrets {
  #recent: (readonly string[])[] = [];
  #inLine: Scrub = (line) => line;
  #inText: Scrub = (text) => text;
  /** For lines of the log. */
  readonly inLine: Scrub = (line) => this.#inLine(line);
  /** For words of an upstream that a client may see. */
  readonly inText: Scrub = (text) => this.#inText(text);

  constructor(config: Config) {
    this.learn(config);
  }

  learn(config: Config): void {
    this.#recent = [secretsOf(config), ...this.#recent].slice(0, REMEMBERED);
    const secrets = new Set(this.#recent.flat());
    this.#inLine = secretScrub(secrets, inJson);
    this.#inText = createScrub(secrets);
  }
}

const REMEMBERED = 8;
