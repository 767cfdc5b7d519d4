import type { Config } from '../config/config.ts';

/** Every secret that the configuration holds, so that it can be kept out of logs and answers. */
export function secretsOf({ providers }: Config): string[] {
  return providers.flatMap(({ keys, headers, proxy }) => {
    const secrets = [...keys.map(({ key }) => key), ...headers.values(), ...(proxy === null ? [] : [proxy])];
    return secrets.map((secret) => secret.reveal());
  });
}
