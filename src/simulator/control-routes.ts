import { readBody } from './read-body.ts';
import { readFaultRules } from './read-fault-rules.ts';
import { sendJson } from './respond.ts';
import type { Vendor } from './vendor.ts';
import type { Exchange } from './vendor-routes.ts';

/** What tests and people ask of the simulator itself, under `/_sim/`. */
export function answerControl(vendor: Vendor, { request, response, path }: Exchange): void {
  const say = (body: unknown, status = 200): void => sendJson(response, JSON.stringify(body), { status });
  const wrong = (message: string, status = 400): void => say({ error: { message } }, status);
  readBody(request, (text) => {
    switch (`${request.method} ${path}`) {
      case 'GET /_sim/health':
        return say({ status: 'ok', uptime_ms: Math.round(vendor.sinceStartMs()) });
      case 'GET /_sim/ledger':
        return say(ledgerJson(vendor, request.url ?? ''));
      case 'POST /_sim/reset':
        vendor.reset(asObject(parse(text))['keepLevels'] === true);
        return say({ status: 'ok' });
      case 'POST /_sim/faults': {
        const read = readFaultRules(parse(text));
        if ('mistake' in read) return wrong(read.mistake);
        vendor.faults.set(read.rules);
        return say({ status: 'ok', faults: vendor.faults.rules });
      }
      default:
        return wrong('There are GET /_sim/health, GET /_sim/ledger, POST /_sim/reset and POST /_sim/faults.', 404);
    }
  });
}

/** `?requests=0` leaves the long lists out. */
function ledgerJson(vendor: Vendor, url: string): object {
  const ledger = vendor.ledger();
  return /[?&]requests=0(&|$)/.test(url) ? { ...ledger, requests: [], refusals: [] } : ledger;
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
