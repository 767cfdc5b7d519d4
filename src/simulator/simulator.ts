import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import { answerControl } from './control-routes.ts';
import type { FaultRule } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { SimulatorOptions } from './options.ts';
import { Vendor } from './vendor.ts';
import { answerVendor } from './vendor-routes.ts';

/** Longer than clients keep theirs, so that a connection is closed by the side that knows whether it is in use. */
const KEEP_ALIVE_MS = 65_000;

export interface Simulator {
  /** Default: a free port on 127.0.0.1. Rejects when the port is taken. */
  listen(port?: number, host?: string): Promise<{ url: string }>;
  /** Cuts what is under way. */
  close(): Promise<void>;
  ledger(): Ledger;
  setFaults(rules: readonly FaultRule[]): void;
  /** Begins the ledger anew; `keepLevels` leaves what the limits have used as it is. */
  reset(options?: { keepLevels?: boolean }): void;
}

/**
 * An OpenAI-shaped vendor with limits that it enforces to the letter. `random` gives numbers in [0, 1). Throws
 * SimulatorOptionsError.
 */
export function createSimulator(options: SimulatorOptions, clock: Clock, random: () => number): Simulator {
  const vendor = new Vendor(options, clock, random);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 }, (request, response) =>
    route(vendor, request, response),
  );
  return {
    listen: (port = 0, host = '127.0.0.1') => listen(server, port, host),
    close: () => close(server),
    ledger: () => vendor.ledger(),
    setFaults: (rules) => vendor.faults.set(rules),
    reset: ({ keepLevels = false } = {}) => vendor.reset(keepLevels),
  };
}

function route(vendor: Vendor, request: IncomingMessage, response: ServerResponse): void {
  // A socket that breaks is told by 'close'; without a listener its error would end the process.
  response.on('error', () => {});
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  if (path.startsWith('/_sim/')) answerControl(vendor, { request, response, path });
  else answerVendor(vendor, { request, response, path });
}

function listen(server: Server, port: number, host: string): Promise<{ url: string }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address() as AddressInfo;
      const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      resolve({ url: `http://${shownHost}:${address.port}` });
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
